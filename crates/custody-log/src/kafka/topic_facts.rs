//! What the brokers say about a topic, and what follows for a plan. Pure but for the type of the client's answer.
//!
//! | setting | wanted | otherwise |
//! | --- | --- | --- |
//! | `cleanup.policy` | `delete` | refused: compaction keeps one record of each key and drops the others |
//! | `retention.ms` | as planned | altered; too short is refused at start |
//! | `retention.bytes` | -1 | altered; a bound in bytes is refused at start: it deletes before its time |
//! | `min.insync.replicas` | as planned | altered; fewer are refused at start |
//! | `max.message.bytes` | at least as planned | altered; less is refused at start |
//! | `unclean.leader.election.enable` | `false` | altered; refused at start: it drops acknowledged records |
//! | `message.timestamp.type` | `LogAppendTime` | altered; otherwise a gateway's wrong clock decides what is old |
//! | `compression.type` | `producer` | altered; otherwise the broker packs again what came packed |
//! | partitions | at least as planned | added; fewer wanted than there are is refused |
//! | replication | at least as planned | refused: moving replicas is for a person to decide |

use std::collections::BTreeMap;

use crate::kafka::topics::{TopicDifference, TopicPlan};

/// A topic as the brokers have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TopicFacts {
    pub partitions: u32,
    /// Replicas of the partition that has fewest.
    pub replication: u32,
    /// Settings in force. Nothing where they cannot be asked for.
    pub settings: Option<BTreeMap<String, String>>,
    /// Those that were set for this topic; altering one must name the others again.
    pub own: BTreeMap<String, String>,
}

/// How a found value is judged.
#[derive(Clone, Copy)]
enum Rule {
    /// Must be the wanted one; any other is unsafe.
    Exactly,
    /// Should be the wanted one; another costs, but loses nothing.
    Preferably,
    /// A number that must not be below the wanted one.
    AtLeast,
    /// A number (-1 for no limit) that should be the wanted one and must not be below it.
    Lasting,
}

impl TopicPlan {
    /// Settings of a new topic, each with its rule.
    fn settings(&self) -> [(&'static str, String, Rule); 8] {
        [
            ("cleanup.policy", "delete".to_owned(), Rule::Exactly),
            ("retention.ms", self.retention_ms.to_string(), Rule::Lasting),
            ("retention.bytes", "-1".to_owned(), Rule::Lasting),
            ("min.insync.replicas", self.min_insync_replicas.to_string(), Rule::AtLeast),
            ("max.message.bytes", self.max_message_bytes.to_string(), Rule::AtLeast),
            ("unclean.leader.election.enable", "false".to_owned(), Rule::Exactly),
            ("message.timestamp.type", "LogAppendTime".to_owned(), Rule::Preferably),
            ("compression.type", "producer".to_owned(), Rule::Preferably),
        ]
    }

    pub(crate) fn new_topic_settings(&self) -> Vec<(&'static str, String)> {
        self.settings().into_iter().map(|(key, wanted, _)| (key, wanted)).collect()
    }

    /// What must be done for the topic to be as planned.
    pub(crate) fn differences(&self, found: Option<&TopicFacts>) -> Vec<TopicDifference> {
        let mut differences = self.contradictions();
        let Some(found) = found else {
            differences.push(TopicDifference::Create);
            return differences;
        };
        differences.extend(self.refusals(found).into_iter().map(|sentence| TopicDifference::Refuse { sentence }));
        if found.partitions < self.partitions {
            differences.push(TopicDifference::AddPartitions { from: found.partitions, to: self.partitions });
        }
        let Some(settings) = &found.settings else { return differences };
        for (key, wanted, rule) in self.settings().into_iter().filter(|(key, ..)| *key != "cleanup.policy") {
            let from = settings.get(key).cloned().unwrap_or_default();
            if !rule.is_as_planned(&from, &wanted) {
                differences.push(TopicDifference::AlterConfig { key, from, to: wanted });
            }
        }
        differences
    }

    /// Why the topic must not be used as it is.
    pub(crate) fn dangers(&self, found: Option<&TopicFacts>) -> Vec<String> {
        let mut dangers: Vec<String> = self.contradictions().iter().map(ToString::to_string).collect();
        let Some(found) = found else {
            dangers.push("it does not exist: create it as planned".to_owned());
            return dangers;
        };
        dangers.extend(self.refusals(found));
        if found.partitions < self.partitions {
            dangers.push(format!("it has {} partitions, {} are wanted", found.partitions, self.partitions));
        }
        let settings = found.settings.as_ref();
        for (key, wanted, rule) in self.settings().into_iter().filter(|(key, ..)| *key != "cleanup.policy") {
            let from = settings.and_then(|settings| settings.get(key));
            if settings.is_some() && !rule.is_safe(from.map_or("", String::as_str), &wanted) {
                dangers.push(format!("`{key}` is `{}`, `{wanted}` is wanted", from.map_or("", String::as_str)));
            }
        }
        dangers
    }

    /// Plans that no topic can follow.
    fn contradictions(&self) -> Vec<TopicDifference> {
        let rules = [
            (self.partitions > 0, "the plan has no partitions".to_owned()),
            (self.replication > 0, "the plan has no replicas".to_owned()),
            (
                self.min_insync_replicas <= self.replication,
                format!(
                    "the plan wants `min.insync.replicas` {} of {} replicas: nothing could be written",
                    self.min_insync_replicas, self.replication
                ),
            ),
        ];
        rules.into_iter().filter(|(kept, _)| !kept).map(|(_, sentence)| TopicDifference::Refuse { sentence }).collect()
    }

    /// What no change of ours mends.
    fn refusals(&self, found: &TopicFacts) -> Vec<String> {
        let setting = |key: &str| found.settings.as_ref().and_then(|settings| settings.get(key));
        let policy = setting("cleanup.policy").filter(|policy| *policy != "delete");
        let in_sync = setting("min.insync.replicas").filter(|count| count.parse().is_ok_and(|count: u32| count > found.replication));
        let reasons = [
            (found.partitions > self.partitions)
                .then(|| format!("it has {} partitions, {} are wanted: partitions can't be taken away", found.partitions, self.partitions)),
            (found.replication < self.replication).then(|| {
                format!(
                    "a partition has {} replicas, {} are wanted: have the cluster's owner reassign them",
                    found.replication, self.replication
                )
            }),
            policy.map(|policy| format!("`cleanup.policy` is `{policy}`, `delete` is wanted: compaction may have dropped records already")),
            in_sync.map(|count| format!("`min.insync.replicas` is {count} of {} replicas: nothing can be written", found.replication)),
        ];
        reasons.into_iter().flatten().collect()
    }
}

impl Rule {
    fn is_as_planned(self, found: &str, wanted: &str) -> bool {
        match self {
            Self::Exactly | Self::Preferably | Self::Lasting => found == wanted,
            Self::AtLeast => is_at_least(found, wanted),
        }
    }

    fn is_safe(self, found: &str, wanted: &str) -> bool {
        match self {
            Self::Exactly => found == wanted,
            Self::Preferably => true,
            Self::AtLeast => is_at_least(found, wanted),
            Self::Lasting => found == "-1" || (wanted != "-1" && is_at_least(found, wanted)),
        }
    }
}

/// What is not a number is not known to be enough.
fn is_at_least(found: &str, wanted: &str) -> bool {
    matches!((found.parse::<i64>(), wanted.parse::<i64>()), (Ok(found), Ok(wanted)) if found >= wanted)
}

#[cfg(test)]
mod tests;
