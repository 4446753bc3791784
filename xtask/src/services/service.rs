//! The names of services, as a person types them and as files carry them.

use std::{fmt, str::FromStr};

use anyhow::{Error, bail};

/// One process: a broker, counted from 1, the object store, or the key service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ServiceName {
    Kafka(u16),
    S3,
    Kms,
}

/// What a person may stop, start or kill.
#[derive(Clone, Copy)]
pub enum Selection {
    EveryBroker,
    One(ServiceName),
}

impl ServiceName {
    pub fn file_name(self) -> String {
        self.to_string().replace(':', "-")
    }
}

impl Selection {
    pub fn covers(self, name: ServiceName) -> bool {
        match self {
            Self::EveryBroker => matches!(name, ServiceName::Kafka(_)),
            Self::One(wanted) => wanted == name,
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kafka(node) => write!(formatter, "kafka:{node}"),
            Self::S3 => formatter.write_str("s3"),
            Self::Kms => formatter.write_str("kms"),
        }
    }
}

impl FromStr for ServiceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':').map(|(kind, node)| (kind, node.parse())) {
            None if text == "s3" => Ok(Self::S3),
            None if text == "kms" => Ok(Self::Kms),
            Some(("kafka", Ok(node))) => Ok(Self::Kafka(node)),
            _ => bail!("`{text}` is not a service; the services are kafka:1, kafka:2, …, s3 and kms"),
        }
    }
}

impl FromStr for Selection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "kafka" { Ok(Self::EveryBroker) } else { text.parse().map(Self::One) }
    }
}
