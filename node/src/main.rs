//! The program `symbolon`: parses the command line and ends with a documented code.
//!
//! Implements spec/node.md#exit-codes.

mod bench;
mod cli;
mod client;
mod clock;
mod collectors;
mod config;
mod daemon;
mod demo;
mod entropy;
mod exit;
mod hotline;
mod init;
mod lanes;
mod loopback;
mod notify;
mod quic;
mod socket;
mod unlock;
mod wiring;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "symbolon: {failure}");
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Init(init) => cli::init(&cli, init),
        Command::Run(unlock) => daemon::run(&cli.data, unlock),
        Command::Identify { text } if text == "-" => {
            cli::identify(&cli::read_text("-".as_ref())?, cli::Output::new(cli.json))
        }
        Command::Identify { text } => cli::identify(text, cli::Output::new(cli.json)),
        Command::Bench(bench) => bench::bench(bench, cli.json),
        Command::Demo(demo) => demo::demo(demo, cli.json),
        _ => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
            runtime.block_on(cli::run(cli))
        }
    }
}
