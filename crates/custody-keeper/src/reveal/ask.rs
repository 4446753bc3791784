//! One attempt to see text, from the question to the answer.

use custody_types::{Fault, Text};

use super::{
    access::{Attempt, Permit},
    answer::{ClosedText, Denial, PendingReveal, RevealAnswer, RevealedText},
    approval::{Act, Approval},
    desk::{Asker, Form, Reveal, RevealDesk, Stopped},
    ports::{PortError, Terms},
    rate::Rate,
    reason::Reason,
    text::{KeptText, State},
};

/// Attempts an hour for what is not there: nobody needs many.
const UNKNOWN_PER_HOUR: u32 = 20;

/// What an attempt led to before anything is opened.
enum Cleared {
    Recorded { permit: Permit, texts: Vec<KeptText>, closed: Vec<ClosedText> },
    Pending(PendingReveal),
}

impl RevealDesk {
    /// Shows text, or says why not. Whatever it answers is an `access` event before it answers.
    ///
    /// # Errors
    /// When a part failed that it stands on; then nothing is shown.
    pub async fn reveal(&self, asker: &Asker, reveal: &Reveal) -> Result<RevealAnswer, PortError> {
        let mut attempt = Attempt::to_see(self, asker, Text::from(reveal.request.to_string()), reveal.form);
        match self.clear(asker, reveal, &mut attempt).await {
            Ok(Cleared::Recorded { permit, texts, closed }) => self.open(&permit, reveal.form, texts, closed, &attempt).await,
            Ok(Cleared::Pending(pending)) => Ok(RevealAnswer::Pending(pending)),
            Err(stopped) => stopped.record(self, &attempt).await.map(RevealAnswer::Denied),
        }
    }

    async fn clear(&self, asker: &Asker, reveal: &Reveal, attempt: &mut Attempt) -> Result<Cleared, Stopped> {
        let reason = Reason::given(reveal.reason.expose(), self.parts.redactor).map_err(Stopped::Denied)?;
        attempt.because(reason.text());
        let texts = self.texts_of(asker, reveal).await?;
        if texts.is_empty() {
            self.count_guess(asker).await?;
            return Err(Stopped::Denied(Denial::NothingHere));
        }
        let terms = self.terms(&texts);
        let per_hour = terms.as_deref().unwrap_or_default().iter().map(|terms| terms.per_hour).min();
        self.count(asker, 1, per_hour.unwrap_or(UNKNOWN_PER_HOUR)).await?;
        attempt.concerns(texts.iter());
        let terms = terms.filter(|terms| asker.is_in_groups_of(terms)).ok_or(Stopped::Denied(Denial::NotInGroup))?;
        let needs_second = self.needs_second_person(asker, &texts, reveal.form, &terms, attempt)?;
        let (texts, closed) = self.apart(texts).await?;
        attempt.concerns(texts.iter());
        if needs_second && reveal.approval.is_none() {
            return Ok(Cleared::Pending(self.ask_second_person(asker, reveal, &texts, &reason, attempt).await?));
        }
        self.count(asker, texts.len().saturating_sub(1), per_hour.unwrap_or_default()).await?;
        if let Some(id) = &reveal.approval {
            self.use_approval(id, asker, reveal, &texts, attempt).await?;
        }
        let permit = attempt.allow(self).await?;
        Ok(Cleared::Recorded { permit, texts, closed })
    }

    async fn texts_of(&self, asker: &Asker, reveal: &Reveal) -> Result<Vec<KeptText>, PortError> {
        let tenant = &asker.facts.tenant;
        let mut texts = self.parts.texts.of_request(tenant, reveal.request).await?;
        texts.retain(|text| text.tenant() == tenant && text.request() == reveal.request);
        texts.retain(|text| reveal.part.is_none_or(|part| part == text.part()));
        texts.sort_by_key(|text| (text.part(), text.context.ordinal));
        Ok(texts)
    }

    async fn count(&self, asker: &Asker, texts: usize, per_hour: u32) -> Result<(), Stopped> {
        let (tenant, principal) = asker.counted_as();
        self.take(&Rate::of(self.parts.papers.as_ref(), (&tenant, &principal), self.parts.clock.now()), texts, per_hour).await
    }

    async fn count_guess(&self, asker: &Asker) -> Result<(), Stopped> {
        let (tenant, principal) = asker.counted_as();
        self.take(&Rate::of_guesses(self.parts.papers.as_ref(), (&tenant, &principal), self.parts.clock.now()), 1, UNKNOWN_PER_HOUR).await
    }

    async fn take(&self, rate: &Rate<'_>, texts: usize, per_hour: u32) -> Result<(), Stopped> {
        let attempt = self.parts.ids.event_id().to_string();
        if rate.take(texts, per_hour, &attempt).await? { Ok(()) } else { Err(Stopped::Denied(Denial::RateExceeded)) }
    }

    /// The policies, asked as the asker is now; and again with a second person, where only that would make the difference.
    fn needs_second_person(
        &self,
        asker: &Asker,
        texts: &[KeptText],
        form: Form,
        terms: &[Terms],
        attempt: &mut Attempt,
    ) -> Result<bool, Stopped> {
        let is_ruled = terms.iter().any(|terms| terms.second_person);
        let alone = self.permitted(asker, texts, form, false);
        if let (Ok(policy_ids), false) = (&alone, is_ruled) {
            attempt.decided_by(policy_ids.clone());
            return Ok(false);
        }
        match self.permitted(asker, texts, form, true) {
            Ok(policy_ids) => {
                attempt.decided_by(policy_ids);
                Ok(true)
            }
            Err(refused) => {
                attempt.decided_by(refused.policy_ids);
                Err(Stopped::Denied(refused.denial))
            }
        }
    }

    /// Texts that can be shown, and those that can't; where none can, the first says why.
    async fn apart(&self, texts: Vec<KeptText>) -> Result<(Vec<KeptText>, Vec<ClosedText>), Stopped> {
        let today = self.parts.clock.now().utc_day();
        let (mut open, mut closed, mut first) = (Vec::new(), Vec::new(), None);
        for text in texts {
            match self.why_closed(&text, today).await? {
                None => open.push(text),
                Some(denial) => {
                    first.get_or_insert(denial);
                    closed.push(closed_text(&text, denial.code()));
                }
            }
        }
        match first {
            Some(denial) if open.is_empty() => Err(Stopped::Denied(denial)),
            _ => Ok((open, closed)),
        }
    }

    /// An erasure reaches a text before its row is gone; a hold keeps a text beyond its date.
    async fn why_closed(&self, text: &KeptText, today: i64) -> Result<Option<Denial>, PortError> {
        if self.parts.texts.is_forgotten(text).await? {
            return Ok(Some(Denial::TextForgotten));
        }
        let is_over = text.expires_on <= today && !self.parts.texts.is_held(text).await?;
        Ok(match text.state {
            State::Forgotten => Some(Denial::TextForgotten),
            State::Unopened => Some(Denial::TextUnopened),
            State::Kept if is_over => Some(Denial::TextExpired),
            State::Kept => None,
        })
    }

    async fn ask_second_person(
        &self,
        asker: &Asker,
        reveal: &Reveal,
        texts: &[KeptText],
        reason: &Reason,
        attempt: &mut Attempt,
    ) -> Result<PendingReveal, Stopped> {
        let id = self.parts.ids.request_id().to_string();
        let approval = Approval::asked(id, &asker.facts, reveal, texts, &reason.text(), self.parts.clock.now());
        attempt.pending(self, &approval.id).await?;
        approval.write(self.parts.papers.as_ref()).await?;
        Ok(PendingReveal::of(&approval, reveal.request, false))
    }

    /// Takes the agreement: from here on it is used, whatever comes.
    async fn use_approval(
        &self,
        id: &str,
        asker: &Asker,
        reveal: &Reveal,
        texts: &[KeptText],
        attempt: &mut Attempt,
    ) -> Result<(), Stopped> {
        let papers = self.parts.papers.as_ref();
        let found = Approval::read(papers, asker.facts.tenant.as_str(), id).await?;
        let approval = found.ok_or(Stopped::Denied(Denial::ApprovalUnknown))?;
        let approved = approval.approved(papers).await?;
        attempt.approved_by(&approval.id, approved.as_ref().map_or("", |approved| approved.by.as_str()));
        if !approval.is_for(&asker.facts, reveal, texts) {
            return Err(Stopped::Denied(Denial::ApprovalForOther));
        }
        if let Some(denial) = approval.why_over(papers, self.parts.clock.now()).await? {
            return Err(Stopped::Denied(denial));
        }
        let approved = approved.ok_or(Stopped::Denied(Denial::ApprovalNotGiven))?;
        if approved.by == asker.facts.principal.as_str() {
            return Err(Stopped::Denied(Denial::SamePerson));
        }
        let is_first = approval.act(papers, Act::Use, self.by(asker)).await?;
        if is_first { Ok(()) } else { Err(Stopped::Denied(Denial::ApprovalUsed)) }
    }

    async fn open(
        &self,
        permit: &Permit,
        form: Form,
        texts: Vec<KeptText>,
        mut closed: Vec<ClosedText>,
        attempt: &Attempt,
    ) -> Result<RevealAnswer, PortError> {
        let mut revealed = Vec::new();
        for text in texts {
            match self.parts.texts.open(permit, &text, form).await {
                Ok(opened) => revealed.push(RevealedText {
                    content_id: Text::clone(&text.content_id),
                    part: text.part(),
                    ordinal: text.context.ordinal,
                    opened,
                }),
                Err(error) => {
                    tracing::warn!(code = error.code(), "a kept text could not be opened");
                    let mut unopened = attempt.clone();
                    unopened.concerns(std::iter::once(&text));
                    unopened.deny(self, error.code).await?;
                    closed.push(closed_text(&text, error.code));
                }
            }
        }
        Ok(RevealAnswer::Revealed { texts: revealed, closed })
    }
}

fn closed_text(text: &KeptText, code: &'static str) -> ClosedText {
    ClosedText { content_id: Text::clone(&text.content_id), part: text.part(), ordinal: text.context.ordinal, code }
}
