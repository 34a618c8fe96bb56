//! `isthmus-lab`: as process 1 it is a guest of the lab; `scenario NAME` runs one scenario in the kernel it stands on;
//! `run NAME...` boots what is needed and runs scenarios from the shell; `list` names them; `demo` plays the demo; `bench` measures
//! the console beside FRR's;
//! `exec PROGRAM ARGUMENTS...` runs any program as root of a lab kernel, such as another crate's test binary.

use std::process::ExitCode;

use isthmus_tests::{bench, boot, guest, scenarios};

fn main() -> ExitCode {
    if std::process::id() == 1 && std::env::var_os("LAB_OUT").is_some() {
        guest::init();
    }
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["scenario", name] => scenario(name),
        ["run", ref names @ ..] => {
            names
                .iter()
                .map(|name| run(name))
                .fold(
                    ExitCode::SUCCESS,
                    |all, one| if one { all } else { ExitCode::FAILURE },
                )
        }
        ["demo"] => demo(),
        ["bench"] => report(bench::run()),
        ["exec", ref command @ ..] if !command.is_empty() => exec(command),
        ["list"] => {
            scenarios::ALL
                .iter()
                .for_each(|scenario| println!("{}", scenario.name));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "usage: isthmus-lab demo | bench | list | run SCENARIO... | exec PROGRAM [ARGUMENT...] | scenario SCENARIO"
            );
            ExitCode::from(2)
        }
    }
}

fn scenario(name: &str) -> ExitCode {
    if name == boot::EXEC {
        return run_command().unwrap_or_else(|error| {
            println!("{error:#}");
            ExitCode::FAILURE
        });
    }
    let mut all = scenarios::ALL.iter().chain(scenarios::HEAVY);
    let Some(scenario) = all.find(|scenario| scenario.name == name) else {
        eprintln!("no scenario is called {name}");
        return ExitCode::from(2);
    };
    match (scenario.run)() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a program in a lab kernel and prints what it prints.
fn exec(command: &[&str]) -> ExitCode {
    report(boot::exec(command, scenarios::LIMIT))
}

/// The other side of `exec`, inside the lab kernel.
fn run_command() -> anyhow::Result<ExitCode> {
    let file = std::path::Path::new(&std::env::var("LAB_RESULTS")?).join("command");
    let text = std::fs::read_to_string(file)?;
    let mut words = text.lines();
    let status = std::process::Command::new(words.next().unwrap_or("true"))
        .args(words)
        .status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the demo and prints its story as it happens.
fn demo() -> ExitCode {
    println!("Booting a kernel for the lab ...");
    report(boot::run_aloud("demo", scenarios::LIMIT))
}

fn run(name: &str) -> bool {
    match boot::run(name, scenarios::LIMIT) {
        Ok(log) => {
            println!("{log}\n{name}: passed");
            true
        }
        Err(error) => {
            println!("{error:#}\n{name}: FAILED");
            false
        }
    }
}
