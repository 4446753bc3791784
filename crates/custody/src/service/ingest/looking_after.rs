//! The upkeep of texts by the instance that holds the first partition of their topic: keys of the days, and parked texts.

use std::{pin::Pin, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use custody_log::kafka::Assignment;
use tokio::sync::watch;

/// Whoever is given it looks after keys and parked texts.
const FIRST_PARTITION: i32 = 0;

/// A pause before an upkeep that could not begin is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// An upkeep that runs until it is told to stop.
pub type RunningUpkeep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Begins it.
#[async_trait]
pub trait BeginUpkeep: Send + Sync {
    /// One that runs until told to stop.
    async fn begin(&self, stop: watch::Receiver<bool>) -> Result<RunningUpkeep>;
}

/// Looks after keys and parked texts while this instance holds the first partition, until told to stop. Two at once would only do it
/// twice. An upkeep that cannot begin is tried again: without it there would be no key for tomorrow.
pub async fn look_after(begin: &dyn BeginUpkeep, mut assignment: watch::Receiver<Assignment>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            is_member = until_held(&mut assignment, true) => if !is_member { return },
            () = until_told(&mut stop) => return,
        }
        let begun = tokio::select! {
            begun = begin.begin(stop.clone()) => begun,
            () = until_told(&mut stop) => return,
        };
        match begun {
            Ok(upkeep) => tokio::select! {
                () = upkeep => {}
                is_member = until_held(&mut assignment, false) => if !is_member { return },
            },
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the upkeep of texts could not begin and tries again");
                let _ = tokio::time::timeout(TRY_AGAIN, until_told(&mut stop)).await;
            }
        }
    }
}

/// Done when the first partition is this instance's, or no longer. False when the membership ended, which the loop reports.
async fn until_held(assignment: &mut watch::Receiver<Assignment>, is_held: bool) -> bool {
    assignment.wait_for(|given| given.partitions.contains(&FIRST_PARTITION) == is_held).await.is_ok()
}

async fn until_told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use anyhow::bail;

    use super::*;

    /// Fails so many times before it runs.
    struct FailsFirst {
        failures: u32,
        begun: AtomicU32,
        running: watch::Sender<u32>,
    }

    impl FailsFirst {
        fn new(failures: u32) -> Self {
            Self { failures, begun: AtomicU32::new(0), running: watch::Sender::new(0) }
        }
    }

    #[async_trait]
    impl BeginUpkeep for FailsFirst {
        async fn begin(&self, mut stop: watch::Receiver<bool>) -> Result<RunningUpkeep> {
            if self.begun.fetch_add(1, Ordering::SeqCst) < self.failures {
                bail!("the lake is away");
            }
            self.running.send_modify(|running| *running += 1);
            Ok(Box::pin(async move { until_told(&mut stop).await }))
        }
    }

    fn given(partitions: &[i32]) -> Assignment {
        Assignment { partitions: partitions.to_vec(), ..Assignment::default() }
    }

    #[tokio::test]
    async fn an_upkeep_that_cannot_begin_is_tried_again() {
        let (begin, (_given, assignment), (stop, stopping)) = (FailsFirst::new(1), watch::channel(given(&[0, 1])), watch::channel(false));
        let mut running = begin.running.subscribe();
        let meanwhile = async {
            running.wait_for(|running| *running == 1).await.unwrap();
            stop.send_replace(true);
        };
        tokio::time::timeout(Duration::from_secs(60), futures::future::join(look_after(&begin, assignment, stopping), meanwhile))
            .await
            .expect("it runs once what it needs is back, and ends when told to");
        assert_eq!(begin.begun.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn whoever_holds_the_first_partition_looks_after_texts() {
        let (begin, (give, assignment), (stop, stopping)) = (FailsFirst::new(0), watch::channel(given(&[3])), watch::channel(false));
        let mut running = begin.running.subscribe();
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(*running.borrow(), 0, "another instance does it");
            give.send_replace(given(&[0]));
            running.wait_for(|running| *running == 1).await.unwrap();
            give.send_replace(given(&[]));
            tokio::task::yield_now().await;
            give.send_replace(given(&[0]));
            running.wait_for(|running| *running == 2).await.unwrap();
            stop.send_replace(true);
        };
        tokio::time::timeout(Duration::from_secs(60), futures::future::join(look_after(&begin, assignment, stopping), meanwhile))
            .await
            .expect("it ends when told to");
    }
}
