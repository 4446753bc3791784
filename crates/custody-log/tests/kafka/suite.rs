//! The suite that every adapter passes, on a mock cluster.

use crate::world::KafkaLog;

async fn fresh() -> KafkaLog {
    KafkaLog::mock()
}

custody_testkit::log_suite!(fresh);
