use super::*;

fn plan() -> TopicPlan {
    TopicPlan {
        name: "custody.events.v1".into(),
        partitions: 12,
        replication: 3,
        retention_ms: 604_800_000,
        min_insync_replicas: 2,
        max_message_bytes: 2_000_000,
    }
}

fn as_planned() -> TopicFacts {
    let settings: BTreeMap<String, String> = plan().new_topic_settings().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    TopicFacts { partitions: 12, replication: 3, settings: Some(settings), own: BTreeMap::new() }
}

fn with(key: &str, value: &str) -> TopicFacts {
    let mut facts = as_planned();
    facts.settings.as_mut().unwrap().insert(key.to_owned(), value.to_owned());
    facts
}

#[test]
fn a_topic_as_planned_needs_nothing_and_a_missing_one_is_created() {
    assert_eq!(plan().differences(Some(&as_planned())), []);
    assert!(plan().dangers(Some(&as_planned())).is_empty());
    assert_eq!(plan().differences(None), [TopicDifference::Create]);
    assert_eq!(plan().dangers(None).len(), 1);
}

#[test]
fn each_unsafe_setting_is_altered_by_a_plan_and_refused_at_start() {
    let unsafe_ones = [
        ("retention.ms", "3600000"),
        ("retention.bytes", "1073741824"),
        ("min.insync.replicas", "1"),
        ("max.message.bytes", "1048588"),
        ("unclean.leader.election.enable", "true"),
        ("retention.ms", "soon"),
    ];
    for (key, value) in unsafe_ones {
        let facts = with(key, value);
        let [TopicDifference::AlterConfig { key: altered, from, .. }] = &plan().differences(Some(&facts))[..] else {
            panic!("{key} {value}")
        };
        assert_eq!((*altered, from.as_str()), (key, value));
        let dangers = plan().dangers(Some(&facts));
        assert!(dangers.len() == 1 && dangers[0].contains(key) && dangers[0].contains(value), "{dangers:?}");
    }
}

#[test]
fn what_only_costs_is_altered_but_not_refused() {
    let costly =
        [("message.timestamp.type", "CreateTime"), ("compression.type", "gzip"), ("retention.ms", "-1"), ("retention.ms", "1209600000")];
    for (key, value) in costly {
        assert_eq!(plan().differences(Some(&with(key, value))).len(), 1, "{key} {value}");
        assert!(plan().dangers(Some(&with(key, value))).is_empty(), "{key} {value}");
    }
    assert!(plan().differences(Some(&with("max.message.bytes", "9000000"))).is_empty());
}

#[test]
fn what_no_change_mends_is_refused_by_both() {
    let cases = [
        (TopicFacts { partitions: 13, ..as_planned() }, "13 partitions"),
        (TopicFacts { replication: 2, ..as_planned() }, "2 replicas"),
        (with("cleanup.policy", "compact"), "`cleanup.policy` is `compact`"),
        (with("cleanup.policy", "compact,delete"), "`cleanup.policy` is `compact,delete`"),
        (with("min.insync.replicas", "4"), "nothing can be written"),
    ];
    for (facts, words) in cases {
        let differences = plan().differences(Some(&facts));
        let [TopicDifference::Refuse { sentence }] = &differences[..] else { panic!("{differences:?}") };
        assert!(sentence.contains(words), "{sentence}");
        assert!(plan().dangers(Some(&facts)).iter().any(|danger| danger.contains(words)));
    }
}

#[test]
fn partitions_are_added_and_a_contradicting_plan_is_refused() {
    let fewer = TopicFacts { partitions: 4, ..as_planned() };
    assert_eq!(plan().differences(Some(&fewer)), [TopicDifference::AddPartitions { from: 4, to: 12 }]);
    assert_eq!(plan().dangers(Some(&fewer)).len(), 1);
    let contradiction = TopicPlan { min_insync_replicas: 4, ..plan() };
    assert!(matches!(contradiction.differences(None)[0], TopicDifference::Refuse { .. }));
}

#[test]
fn settings_that_cannot_be_asked_for_are_not_invented() {
    let facts = TopicFacts { settings: None, ..as_planned() };
    assert!(plan().differences(Some(&facts)).is_empty() && plan().dangers(Some(&facts)).is_empty());
}
