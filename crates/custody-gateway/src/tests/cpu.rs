//! What a governed request costs in CPU, without its caller: run it in release, as `cargo test --release cpu -- --ignored --nocapture`.
//! The bench of the whole product is `cargo xtask bench`; this one is for a quick look while changing the flow.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use custody_log::{FileDisk, Journal};
use custody_testkit::disk::SimDisk;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::harness::{Harness, body, journal_config};

const CLIENTS: usize = 10;
const REQUESTS: usize = 2_000;

/// CPU nanoseconds of all threads whose name does not begin with `load`.
fn own_cpu() -> u64 {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let own = threads.filter(|thread| !fs::read_to_string(thread.path().join("comm")).unwrap_or_default().starts_with("load"));
    let nanos = own.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok());
    nanos.sum()
}

async fn client(address: SocketAddr, request: Arc<Vec<u8>>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16 << 10];
    for _ in 0..REQUESTS {
        stream.write_all(&request).await.unwrap();
        let mut read = 0;
        while !buffer[..read].ends_with(b"}}") {
            read += stream.read(&mut buffer[read..]).await.unwrap();
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"));
    }
}

#[test]
#[ignore = "a measurement; run it in release"]
fn cpu_of_a_governed_request() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let load = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("load").enable_all().build().unwrap();
    let folder = tempfile::tempdir_in("/work").or_else(|_| tempfile::tempdir()).unwrap();
    let harness = runtime.block_on(async {
        let disk = Arc::new(FileDisk::open(folder.path()).unwrap());
        let (journal, _) =
            Journal::open(custody_log::JournalConfig { segment_bytes: 64 << 20, max_total_bytes: 1 << 30, ..journal_config() }, disk)
                .unwrap();
        Harness::on(SimDisk::new(), journal, &[]).await
    });
    let text = body("support.answer", "simulate: input_tokens=100 output_tokens=50", "");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{text}",
        harness.acme,
        text.len()
    );
    let request = Arc::new(head.into_bytes());
    let address = harness.address;
    let run = |request: Arc<Vec<u8>>| async move {
        let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(client(address, Arc::clone(&request)))).collect();
        for client in clients {
            client.await.unwrap();
        }
    };
    let started = std::time::Duration::from_nanos(own_cpu());
    let clock = crate::SystemClock::new();
    load.block_on(async { load.spawn(run(Arc::clone(&request))).await.unwrap() });
    let wall = Duration::from_micros(custody_types::Clock::monotonic_micros(&clock));
    let cpu = Duration::from_nanos(own_cpu()) - started;
    let count = u32::try_from(CLIENTS * REQUESTS).unwrap();
    println!(
        "{count} requests in {wall:?}: {:?} CPU each, {:.0} requests/s, {:?}",
        cpu / count,
        f64::from(count) / wall.as_secs_f64(),
        harness.journal.stats()
    );
    runtime.block_on(harness.stop());
}
