//! Three nodes as child processes in a temporary folder; none outlives this program.

use std::path::PathBuf;

use symbolon_desk::api::{CardShown, Nothing};

use crate::cli::Output;
use crate::exit::{Exit, Failure};
use crate::loopback::LoopbackNode;

/// Name and country of each node. The countries decide what the sample policy lets them see.
const WHO: [(&str, &str); 3] = [("north", "NOR"), ("south", "PRT"), ("east", "EST")];

/// The nodes of the demo.
pub(super) struct Nodes {
    folder: tempfile::TempDir,
    nodes: Vec<LoopbackNode>,
}

impl Nodes {
    /// Makes and starts all three.
    pub(super) async fn start(out: Output) -> Result<Nodes, Failure> {
        let folder = tempfile::Builder::new().prefix("symbolon-demo-").tempdir().map_err(|_| {
            Failure::invalid("no temporary folder can be made", "free some space in it")
        })?;
        let mut nodes = Nodes { folder, nodes: Vec::new() };
        out.note(
            "Three nodes, each a process of its own with its own keys, database and policy:\n",
        );
        for (name, country) in WHO {
            let node =
                LoopbackNode::create(nodes.folder.path(), name, country, "demo-officer").await?;
            let card: CardShown = node.call("partner/card", &Nothing {}).await?;
            out.note(&format!("  {name:6} {country}  {}", card.addresses.join(", ")));
            nodes.nodes.push(node);
        }
        Ok(nodes)
    }

    pub(super) fn node(&self, name: &str) -> Result<&LoopbackNode, Failure> {
        let found = self.nodes.iter().find(|node| node.name() == name);
        found.ok_or_else(|| Failure::new(Exit::Internal, "there is no such node", ""))
    }

    pub(super) fn all(&self) -> &[LoopbackNode] {
        &self.nodes
    }

    /// Stops one node, as a failure would.
    pub(super) async fn kill(&mut self, name: &str) {
        for node in self.nodes.iter_mut().filter(|node| node.name() == name) {
            node.kill().await;
        }
    }

    /// Starts a node again that was stopped.
    pub(super) async fn restart(&mut self, name: &str) -> Result<(), Failure> {
        for node in self.nodes.iter_mut().filter(|node| node.name() == name) {
            node.start().await?;
        }
        Ok(())
    }

    /// What to type to talk to the nodes.
    pub(super) fn show_commands(&self, out: Output) {
        out.note("\nThe nodes go on running. In another terminal:\n");
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("symbolon"));
        for node in &self.nodes {
            let (program, data) = (program.display(), node.directory().display());
            out.note(&format!("  {program} --data {data} status"));
        }
        out.note(
            "\nTry 'hit list', 'audit show', 'policy explain RECORD PARTNER --purpose nonproliferation', \
             'doctor'.\nCtrl-C here stops the nodes and removes the folder.",
        );
    }

    /// Stops all nodes and waits for them.
    pub(super) async fn stop(mut self) {
        for node in &mut self.nodes {
            node.stop().await;
        }
    }
}
