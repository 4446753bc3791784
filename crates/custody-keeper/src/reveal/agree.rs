//! A second person agrees to a reveal, or somebody takes it back. Who agrees is asked the same question as the asker: whether the rule's
//! groups and the policies would let them see these very texts.

use super::{
    access::Attempt,
    answer::{ApproveAnswer, Denial},
    approval::{Act, Approval, is_person},
    desk::{Asker, RevealDesk, Stopped},
    ports::PortError,
    text::KeptText,
};

impl RevealDesk {
    /// Agrees to a reveal that waits.
    ///
    /// # Errors
    /// When a part failed that it stands on; then nobody has agreed.
    pub async fn approve(&self, approver: &Asker, id: &str) -> Result<ApproveAnswer, PortError> {
        let mut attempt = Attempt::to_agree(self, approver, "approve", id);
        let decided = self.check_approver(approver, id, &mut attempt).await;
        self.end(decided, approver, Act::Approve, &attempt).await
    }

    /// Takes back what one asked for, or agreed to.
    ///
    /// # Errors
    /// When a part failed that it stands on.
    pub async fn withdraw(&self, who: &Asker, id: &str) -> Result<ApproveAnswer, PortError> {
        let attempt = Attempt::to_agree(self, who, "withdraw", id);
        let decided = self.check_withdrawal(who, id).await;
        self.end(decided, who, Act::Withdraw, &attempt).await
    }

    /// Recorded first, then so.
    async fn end(&self, decided: Result<Approval, Stopped>, who: &Asker, act: Act, attempt: &Attempt) -> Result<ApproveAnswer, PortError> {
        match decided {
            Ok(approval) => {
                let _ = attempt.allow(self).await?;
                let was_first = approval.act(self.parts.papers.as_ref(), act, self.by(who)).await?;
                // Somebody else has approved already, which is as good; or it ended in between.
                let is_so = was_first || act == Act::Approve;
                Ok(if is_so { ApproveAnswer::Done } else { ApproveAnswer::Denied(Denial::ApprovalUsed) })
            }
            Err(stopped) => stopped.record(self, attempt).await.map(ApproveAnswer::Denied),
        }
    }

    async fn check_approver(&self, approver: &Asker, id: &str, attempt: &mut Attempt) -> Result<Approval, Stopped> {
        let approval = self.waiting(approver, id).await?;
        let texts = self.texts_to_approve(approver, &approval).await?;
        attempt.concerns(texts.iter());
        if !is_person(&approver.facts) {
            return Err(Stopped::Denied(Denial::NotAPerson));
        }
        if approval.asker == approver.facts.principal.as_str() {
            return Err(Stopped::Denied(Denial::SamePerson));
        }
        let terms = self.terms(&texts).filter(|terms| approver.is_in_groups_of(terms));
        terms.ok_or(Stopped::Denied(Denial::NotInGroup))?;
        match self.permitted(approver, &texts, approval.form(), true) {
            Ok(policy_ids) => attempt.decided_by(policy_ids),
            Err(refused) => {
                attempt.decided_by(refused.policy_ids);
                return Err(Stopped::Denied(refused.denial));
            }
        }
        Ok(approval)
    }

    async fn waiting(&self, who: &Asker, id: &str) -> Result<Approval, Stopped> {
        let papers = self.parts.papers.as_ref();
        let found = Approval::read(papers, who.facts.tenant.as_str(), id).await?;
        let approval = found.ok_or(Stopped::Denied(Denial::ApprovalUnknown))?;
        match approval.why_over(papers, self.parts.clock.now()).await? {
            Some(denial) => Err(Stopped::Denied(denial)),
            None => Ok(approval),
        }
    }

    /// The very texts that were asked for. Where one is gone since, there is nothing to agree to.
    async fn texts_to_approve(&self, who: &Asker, approval: &Approval) -> Result<Vec<KeptText>, Stopped> {
        let request = approval.request_id.parse().map_err(|_| PortError::unusable("an approval names no request"))?;
        let tenant = &who.facts.tenant;
        let mut texts = self.parts.texts.of_request(tenant, request).await?;
        texts.retain(|text| text.tenant() == tenant && approval.content_ids.iter().any(|id| **id == *text.content_id));
        if texts.len() == approval.content_ids.len() { Ok(texts) } else { Err(Stopped::Denied(Denial::NothingHere)) }
    }

    async fn check_withdrawal(&self, who: &Asker, id: &str) -> Result<Approval, Stopped> {
        let approval = self.waiting(who, id).await?;
        let approved = approval.approved(self.parts.papers.as_ref()).await?;
        let name = who.facts.principal.as_str();
        let is_theirs = approval.asker == name || approved.is_some_and(|approved| approved.by == name);
        if is_theirs { Ok(approval) } else { Err(Stopped::Denied(Denial::ApprovalUnknown)) }
    }
}
