//! Project tasks: `cargo xtask <task>`. `help` lists them. Deliberately without heavy dependencies, so that it builds in seconds.

mod bench;
mod check;
mod clients;
mod mutants;
mod run;
mod services;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <task>

  test      everything that a change must pass: format, checks, lints, all tests, real clients; what CI runs
  check     layers, file sizes, schema drift, dependency licences; seconds
  mutants   takes each safeguard out of a copy and shows the simulation seed that fails
  services  Apache Kafka, an S3 store and a KMS for tests, on free loopback ports; --help lists the commands
  bench     builds for release and prints the figures side by side; --help lists the parts
  help      this page
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = arguments.split_first().map_or(("help", &[][..]), |(task, rest)| (task.as_str(), rest));
    let result = match task {
        "test" => test::run(),
        "check" => check::run(),
        "mutants" => mutants::run(rest),
        "services" => services::run(rest),
        "bench" => bench::run(rest),
        "help" | "--help" | "-h" => {
            run::say(HELP);
            Ok(())
        }
        other => Err(anyhow::anyhow!("`{other}` is not a task; `cargo xtask help` lists them")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("xtask {task}: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
