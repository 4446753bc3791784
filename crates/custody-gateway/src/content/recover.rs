//! Requests that the content journal holds open though nobody works on them any more: an earlier boot did, or a task that ended by a
//! defect. They get their end, so that truncation need not wait for them.

use custody_log::{Admission, OpenRequest};
use custody_types::{Clock, IdSource, RequestId};

use super::{
    error::CaptureError,
    seal::{Now, end_record},
};

/// Ends the requests that an earlier boot left open, and says how many. Run it before the gateway serves.
///
/// # Errors
/// When an end cannot be made durable.
pub async fn end_open_texts(open: Vec<OpenRequest>, clock: &dyn Clock, ids: &dyn IdSource) -> Result<u64, CaptureError> {
    end_orphaned_texts(open.into_iter().map(|request| request.admission).collect(), clock, ids).await
}

/// Ends requests whose handling ended by a defect, and says how many.
///
/// # Errors
/// When an end cannot be made durable; the rest goes back to the journal, to be ended later.
pub async fn end_orphaned_texts(orphans: Vec<Admission>, clock: &dyn Clock, ids: &dyn IdSource) -> Result<u64, CaptureError> {
    let mut ended = 0;
    for admission in orphans {
        let request = RequestId::from_uuid(uuid::Uuid::from_bytes(admission.key()));
        admission.close(vec![end_record(request, Now { clock, ids })?]).await?;
        ended += 1;
    }
    Ok(ended)
}
