use clap::{CommandFactory, Parser};

use super::*;

pub mod whole_way;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: RevealArgs,
}

fn parsed(line: &str) -> Result<RevealArgs, clap::Error> {
    Line::try_parse_from(line.split(' ')).map(|line| line.args)
}

pub const REQUEST: &str = "019a0000-0000-7000-8000-000000000002";

#[test]
fn the_arguments_say_what_is_meant() {
    Line::command().debug_assert();
    let asked = parsed(&format!("reveal {REQUEST} --reason case-7 --part tool_arguments --redacted --approval a")).unwrap();
    let meant = reveal(&asked).unwrap();
    assert_eq!((meant.request.to_string().as_str(), meant.part, meant.form), (REQUEST, Some(Part::ToolArguments), Form::Redacted));
    assert_eq!((meant.reason.expose(), meant.approval.as_deref(), asked.who.key_env.as_str()), ("case-7", Some("a"), "CUSTODY_KEY"));
    let approving = parsed("reveal approve 019a --key-env SENIOR --format json --data-dir /d").unwrap();
    assert!(matches!(approving.task, Some(Task::Approve(task)) if task.approval == "019a" && task.who.key_env == "SENIOR"));
    assert!(matches!(parsed("reveal pending").unwrap().task, Some(Task::Pending(_))));
    assert!(matches!(parsed("reveal withdraw x").unwrap().task, Some(Task::Withdraw(_))));
    let without_reason = parsed(&format!("reveal {REQUEST}")).unwrap();
    assert!(reveal(&without_reason).unwrap().reason.is_empty(), "denied and recorded, not only refused");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for line in ["reveal", "reveal not-an-id --reason x", &format!("reveal {REQUEST} --part all"), &format!("reveal {REQUEST} pending")] {
        assert!(parsed(line).is_err(), "{line}");
    }
}
