//! Figures, printed with `--nocapture`; slow machines pass too.

use std::time::Duration;

use custody_log::LogReader;
use tokio::time::Instant;

use crate::world::{KafkaLog, SOON};

/// The mock keeps 5 MiB: the same records are read again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run by hand with --nocapture"]
async fn records_read_in_a_second() {
    let mut log = KafkaLog::mock();
    for _ in 0..10_000 {
        log.put_ours(&[b'm'; 300]);
    }
    log.flush();
    let mut reader = log.open_reader();
    let (mut records, begun) = (0, Instant::now());
    let mut buffered = Duration::ZERO;
    while records < 200_000 {
        reader.seek(custody_types::LogPosition::START);
        // Lets the client fetch, so that the second figure counts our side only.
        let first = reader.read(1, SOON).await.unwrap().len();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let draining = Instant::now();
        let mut taken = first;
        while taken < 10_000 {
            taken += reader.read(4 << 20, SOON).await.unwrap().len();
        }
        buffered += draining.elapsed();
        records += taken;
    }
    println!("{records} records in {:?}; from the buffer {:.0} a second", begun.elapsed(), records as f64 / buffered.as_secs_f64());
}
