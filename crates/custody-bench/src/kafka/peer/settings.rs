//! Settings of Connect and its sink. They are the fastest that were found for two cores; what is not named has its default.

use std::{net::SocketAddr, path::Path};

use super::{
    Load, control_topic,
    table::{TABLE, WAREHOUSE},
};

/// Files in the run's folder.
pub const SCHEMA: &str = "event.avsc";
pub const LOGGING: &str = "log4j2.properties";
pub const WORKER: &str = "worker.properties";
pub const SINK: &str = "sink.properties";
pub const OUTPUT: &str = "output.log";

/// A thread for each core; four did no more and wrote twice the files.
pub const TASKS: usize = 2;

/// The parallel collector cost the least processor time of the three that suit two cores.
pub const JAVA_OPTIONS: [&str; 3] = ["-Xmx2g", "-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError"];

/// The lake's compression. Iceberg's own statistics of all columns would cost time that ingest does not spend either.
pub const TABLE_PROPERTIES: [&str; 3] =
    ["write.parquet.compression-codec=zstd", "write.parquet.compression-level=1", "write.metadata.metrics.default=none"];

/// Warnings only: a line for each request and commit would count as its work.
pub fn logging() -> String {
    "\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c{1})%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
"
    .to_owned()
}

pub fn worker(folder: &Path, address: SocketAddr, load: &Load<'_>) -> String {
    let brokers = load.brokers.join(",");
    let folder = folder.display();
    format!(
        "\
bootstrap.servers={brokers}
listeners=http://{address}
offset.storage.file.filename={folder}/offsets

# Keys and headers are handed on as they are; the default would try to read the header as text.
key.converter=org.apache.kafka.connect.converters.ByteArrayConverter
header.converter=org.apache.kafka.connect.converters.ByteArrayConverter
value.converter=EventConverter
value.converter.schema={folder}/{SCHEMA}

# Every jar that counts says what it has; looking for more only delays the start.
plugin.discovery=service_load

# A task that waits for records hears of a commit only when its wait ends: by default after up to a minute.
offset.flush.interval.ms=1000

# Large reads: few requests, and long runs of records for each call of the sink.
consumer.max.poll.records=5000
consumer.fetch.min.bytes=1048576
consumer.fetch.max.wait.ms=100
consumer.fetch.max.bytes=67108864
consumer.max.partition.fetch.bytes=8388608
consumer.receive.buffer.bytes=1048576
"
    )
}

pub fn sink(folder: &Path, name: &str, load: &Load<'_>) -> String {
    let warehouse = folder.join(WAREHOUSE);
    let (warehouse, topic, control) = (warehouse.display(), load.topic, control_topic(load.topic));
    format!(
        "\
name={name}
connector.class=org.apache.iceberg.connect.IcebergSinkConnector
tasks.max={TASKS}
topics={topic}

iceberg.tables={TABLE}
iceberg.catalog.type=hadoop
iceberg.catalog.warehouse={warehouse}
iceberg.control.topic={control}
# Files of a useful size; with longer intervals the last events wait longer for the last commit.
iceberg.control.commit.interval-ms=5000
# Without a checksum file beside each file.
iceberg.hadoop.fs.file.impl=org.apache.hadoop.fs.RawLocalFileSystem
"
    )
}
