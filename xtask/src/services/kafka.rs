//! Apache Kafka in KRaft mode: every node is broker and controller, and settings suit tests, not production.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{
    install, kafka_access, kafka_probe,
    place::{Place, write_private},
    service::ServiceName,
    state::{Service, State},
};

const LOGGING: &str = include_str!("../../services/log4j2.properties");
/// Where clients and other nodes connect, where controllers vote, and where clients are asked who they are.
pub const PORTS: [&str; 4] = ["client", "controller", kafka_access::PORTS[0], kafka_access::PORTS[1]];
/// Enough for a broker with the small cleaner buffer below; three fit on a laptop.
const HEAP: &str = "-Xmx320m";

/// What all nodes need before they can start.
pub struct Kafka {
    jars: PathBuf,
}

impl Kafka {
    pub fn install(place: &Place) -> Result<Self> {
        Ok(Self { jars: install::kafka_jars(place)? })
    }

    /// The command that runs a node, whose folder is prepared first if this is its first start.
    pub fn command(&self, place: &Place, state: &State, node: &Service) -> Result<Command> {
        let folder = place.folder(node.name);
        let properties = folder.join("server.properties");
        if !folder.join("log/meta.properties").exists() {
            fs::create_dir_all(folder.join("log")).with_context(|| format!("cannot create {}", folder.display()))?;
            fs::write(&properties, settings(place, state, node)? + &kafka_access::settings(place))?;
            fs::write(folder.join("log4j2.properties"), LOGGING)?;
            self.format(place, &folder, &state.cluster)?;
        }
        let mut java = self.java(&folder, "kafka.Kafka");
        java.arg(&properties);
        Ok(java)
    }

    /// The arguments are read from a file, because a command line, with its password, can be seen by everybody.
    fn format(&self, place: &Place, folder: &Path, cluster: &str) -> Result<()> {
        let mut arguments = vec!["kafka.tools.StorageTool".to_owned(), "format".to_owned()];
        arguments.extend(["--cluster-id", cluster, "--config", "server.properties"].map(str::to_owned));
        arguments.extend(kafka_access::users(place)?);
        let file = folder.join("format.arguments");
        write_private(&file, &arguments.join("\n"))?;
        let output = self.java(folder, "@format.arguments").output();
        fs::remove_file(&file)?;
        let output = output.context("`java` could not be started")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            bail!("Kafka could not format {}: {}", folder.display(), said.trim());
        }
        Ok(())
    }

    fn java(&self, folder: &Path, class: &str) -> Command {
        let mut java = Command::new("java");
        // The serial collector starts fastest and takes no threads from the tests. Out of memory must be an end, not a limp.
        java.args([HEAP, "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"])
            .arg(format!("-Dlog4j2.configurationFile={}", folder.join("log4j2.properties").display()))
            .arg("-cp")
            .arg(self.jars.join("*"))
            .arg(class)
            .current_dir(folder);
        java
    }
}

/// Whether the node answers and counts itself among the brokers in service.
pub fn is_healthy(node: &Service) -> Result<bool> {
    let ServiceName::Kafka(id) = node.name else { bail!("{} is not a broker", node.name) };
    Ok(kafka_probe::brokers(node.port("client")?).is_some_and(|brokers| brokers.contains(&i32::from(id))))
}

fn settings(place: &Place, state: &State, node: &Service) -> Result<String> {
    let ServiceName::Kafka(id) = node.name else { bail!("{} is not a broker", node.name) };
    let (client, controller) = (node.port("client")?, node.port("controller")?);
    let copies = state.brokers().count();
    let in_sync = copies.min(2);
    let voters = state.brokers().map(voter).collect::<Result<Vec<_>>>()?.join(",");
    let protected = kafka_access::listeners(node)?;
    let log = place.folder(node.name).join("log").display().to_string();
    Ok(format!(
        "\
process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{client},{protected},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{client},{protected}
log.dirs={log}

# What a test creates is as safe as the cluster allows.
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
unclean.leader.election.enable=false
auto.create.topics.enable=false

# A record may be larger than Kafka's default of 1 MiB, and followers must be able to copy it.
message.max.bytes=2097152
replica.fetch.max.bytes=2097152

# Tests don't wait: no pause before a group's first assignment, few partitions to set up, retention that acts within seconds.
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=5
transaction.state.log.num.partitions=5
log.initial.task.delay.ms=1000
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=1000

# A killed broker's leaders move, and it may come back, once its session is over; by default after 9 s.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=500

# Less memory and fewer threads than a production broker: the cleaner alone would take 128 MiB.
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
"
    ))
}

fn voter(node: &Service) -> Result<String> {
    let ServiceName::Kafka(id) = node.name else { bail!("{} is not a broker", node.name) };
    Ok(format!("{id}@127.0.0.1:{}", node.port("controller")?))
}
