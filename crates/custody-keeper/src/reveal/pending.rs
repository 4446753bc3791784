//! Reveals that wait for a second person, as far as they are the business of whoever asks.

use custody_types::RequestId;

use super::{
    answer::PendingReveal,
    approval::{Approval, ENDING, FOLDER},
    desk::{Asker, RevealDesk},
    ports::PortError,
};
impl PendingReveal {
    pub(super) fn of(approval: &Approval, request: RequestId, approved: bool) -> Self {
        Self {
            approval_id: approval.id.clone(),
            request,
            asker: approval.asker.clone(),
            reason: approval.reason.clone(),
            redacted: approval.redacted,
            texts: approval.content_ids.len(),
            expires_at: approval.expires_at(),
            approved,
        }
    }
}

impl RevealDesk {
    /// What waits: what one asked for, and what one could agree to. What is used, withdrawn or over is not among it.
    ///
    /// # Errors
    /// When the vault's store or the table of texts fails.
    pub async fn pending(&self, who: &Asker) -> Result<Vec<PendingReveal>, PortError> {
        let papers = self.parts.papers.as_ref();
        let (tenant, now) = (who.facts.tenant.as_str(), self.parts.clock.now());
        let mut found = Vec::new();
        for name in papers.list(FOLDER).await? {
            let id = name.rsplit('/').next().and_then(|file| file.strip_suffix(ENDING));
            let Some(approval) = Approval::read(papers, tenant, id.unwrap_or_default()).await? else { continue };
            if approval.why_over(papers, now).await?.is_some() || !self.concerns(who, &approval).await? {
                continue;
            }
            let Ok(request) = approval.request_id.parse() else { continue };
            let approved = approval.approved(papers).await?.is_some();
            found.push(PendingReveal::of(&approval, request, approved));
        }
        Ok(found)
    }

    async fn concerns(&self, who: &Asker, approval: &Approval) -> Result<bool, PortError> {
        if approval.asker == who.facts.principal.as_str() {
            return Ok(true);
        }
        let Ok(request) = approval.request_id.parse() else { return Ok(false) };
        let texts = self.parts.texts.of_request(&who.facts.tenant, request).await?;
        let is_in_groups = self.terms(&texts).is_some_and(|terms| who.is_in_groups_of(&terms));
        Ok(!texts.is_empty() && is_in_groups && self.permitted(who, &texts, approval.form(), true).is_ok())
    }
}
