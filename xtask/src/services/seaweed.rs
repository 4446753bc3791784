//! SeaweedFS as the S3 store: master, volume server, filer and S3 gateway in one process, all on loopback ports of their own.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    install,
    place::{Place, write_private},
    ports::PROBE_PATIENCE,
    random,
    service::ServiceName,
    state::Service,
};

pub const BUCKET: &str = "custody-test";
/// Each part's gRPC port would be its own plus 10000 unless named: all are named, because all must be free.
pub const PORTS: [&str; 8] = ["s3", "s3.grpc", "filer", "filer.grpc", "volume", "volume.grpc", "master", "master.grpc"];

const LONGEST_ANSWER: u64 = 1024 * 1024;

/// The keys of one instance. Without `Debug`, so that they are not printed by accident.
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
}

impl Credentials {
    /// New keys, in the form that SeaweedFS reads.
    pub fn create(place: &Place) -> Result<()> {
        let keys = json!({"accessKey": random::hex::<10>()?, "secretKey": random::hex::<20>()?});
        let identity = json!({"name": "tests", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]});
        write_private(&place.credentials_file(), &format!("{:#}\n", json!({"identities": [identity]})))
    }

    pub fn load(place: &Place) -> Result<Self> {
        let path = place.credentials_file();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let value: Value = serde_json::from_str(&text)?;
        let key = |name: &str| {
            let found = value.pointer("/identities/0/credentials/0").and_then(|keys| keys.get(name)).and_then(Value::as_str);
            found.map(str::to_owned).with_context(|| format!("{} has no `{name}`", path.display()))
        };
        Ok(Self { access_key: key("accessKey")?, secret_key: key("secretKey")? })
    }
}

/// The command that runs the store.
pub fn command(place: &Place, store: &Service) -> Result<Command> {
    let data = place.folder(ServiceName::S3).join("data");
    fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let mut weed = Command::new(install::seaweed(place)?);
    weed.args(["-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-master.telemetry=false"])
        // Each bucket takes several volumes; with few, the third bucket answers 500. Real S3 makes no bucket by itself.
        .args(["-volume.max=200", "-master.volumeSizeLimitMB=64", "-master.volumePreallocate=false", "-s3.autoCreateBucket=false"])
        .args(["-volume.preStopSeconds=0", "-s3.port.iceberg=0", "-s3.port.lance=0"])
        // A restarted master waits this long for other masters, of which there are none; by default up to 20 s.
        .args(["-master.electionTimeout=1s", "-master.heartbeatInterval=200ms"])
        .args(port_options(&store.ports))
        .arg(format!("-dir={}", data.display()))
        .arg(format!("-s3.config={}", place.credentials_file().display()))
        // It would take the caller's own keys for another administrator.
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .current_dir(&data);
    Ok(weed)
}

/// Creates the bucket for tests unless it is there.
pub fn create_bucket(place: &Place, store: &Service) -> Result<()> {
    let address = |part: &str| Ok::<_, anyhow::Error>(format!("127.0.0.1:{}.{}", store.port(part)?, store.port(&format!("{part}.grpc"))?));
    // The shell waits for ever for a master that doesn't answer.
    let mut shell = Command::new("timeout");
    shell.arg("30").arg(install::seaweed(place)?).args(["-logtostderr=true", "shell"]);
    shell.arg(format!("-master={}", address("master")?)).arg(format!("-filer={}", address("filer")?));
    create_bucket_with(&mut shell)
}

/// Creates the bucket with a prepared `weed shell`, here or in a container.
pub fn create_bucket_with(shell: &mut Command) -> Result<()> {
    let buckets = in_shell(shell, "s3.bucket.list")?;
    if buckets.lines().any(|line| line.split_whitespace().next() == Some(BUCKET)) {
        return Ok(());
    }
    let said = in_shell(shell, &format!("s3.bucket.create -name {BUCKET}"))?;
    if !said.contains("created bucket") {
        bail!("SeaweedFS did not create the bucket `{BUCKET}`: {}", said.trim());
    }
    Ok(())
}

/// Removes the sockets that SeaweedFS leaves behind, at paths that it can't be told.
pub fn remove_sockets(store: &Service) {
    for (of, port) in &store.ports {
        // Most are gone after a clean end.
        let _ = fs::remove_file(format!("/tmp/seaweedfs-{}-{port}.sock", of.replace('.', "-")));
    }
}

/// Whether the gateway says that it can serve and the volume server, which joins later after a restart, is there to serve from.
/// In a container only the gateway can be asked.
pub fn is_healthy(store: &Service) -> Result<bool> {
    let gateway_is_up = get(store.main_port()?, "/healthz").is_ok_and(|answer| answer.split_whitespace().nth(1) == Some("200"));
    let Some(master) = store.ports.get("master") else { return Ok(gateway_is_up) };
    let volumes = format!("\"127.0.0.1:{}\"", store.port("volume")?);
    Ok(gateway_is_up && get(*master, "/dir/status").is_ok_and(|answer| answer.contains(&volumes)))
}

fn port_options(ports: &BTreeMap<String, u16>) -> impl Iterator<Item = String> {
    ports.iter().map(|(of, port)| match of.strip_suffix(".grpc") {
        Some(part) => format!("-{part}.port.grpc={port}"),
        None => format!("-{of}.port={port}"),
    })
}

fn in_shell(shell: &mut Command, line: &str) -> Result<String> {
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("no `weed shell`")?;
    let mut input = child.stdin.take().context("no input")?;
    writeln!(input, "{line}")?;
    // The shell ends with its input.
    drop(input);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("`{line}` failed in `weed shell`: {}{}", said.trim(), complaint.trim());
    }
    Ok(said)
}

fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PROBE_PATIENCE)?;
    stream.set_read_timeout(Some(PROBE_PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    // A stranger on the port is not listened to for ever.
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
