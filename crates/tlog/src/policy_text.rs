//! Reads the text of a quorum policy, line by line; evaluates nothing.
//!
//! Implements spec/log.md#policy (c2sp.org/tlog-policy, "Policy file syntax and structure").
//!
//! Invariant: a group's members precede it and no name is a member twice, so that the groups are
//! trees and each witness contributes "in only one way".

use std::collections::{BTreeMap, BTreeSet};

use crate::cosignature::CosignatureVerifier;
use crate::error::TlogError;
use crate::limits::{POLICY_BYTES_MAX, POLICY_GROUPS_MAX, POLICY_LOGS_MAX, POLICY_WITNESSES_MAX};
use crate::policy::{Node, Policy, PolicyLog, PolicyName, PolicyWitness};
use crate::text::parse_decimal;
use crate::vkey::NoteVerifier;

/// "The special name `none` is predefined".
const NONE: &[u8] = b"none";

pub(crate) fn read(octets: &[u8]) -> Result<Policy, TlogError> {
    let refused = |line, rule| TlogError::PolicyLine { line, rule };
    if octets.len() > POLICY_BYTES_MAX {
        return Err(refused(1, "a policy has at most 512 KiB"));
    }
    let mut reader = Reader::default();
    let mut number = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        number += 1;
        let refused = |rule| refused(number, rule);
        let line = line.strip_suffix(b"\n").ok_or(refused("each line ends in a newline"))?;
        reader.line(line).map_err(refused)?;
    }
    let quorum =
        reader.quorum.ok_or(refused(number + 1, "a policy has exactly one quorum line"))?;
    Ok(Policy { logs: reader.logs, witnesses: reader.witnesses, nodes: reader.nodes, quorum })
}

#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    nodes: Vec<Node>,
    groups: usize,
    /// What each name stands for, and which of them are members of a group.
    names: BTreeMap<Vec<u8>, usize>,
    members: BTreeSet<usize>,
    quorum: Option<Option<usize>>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        // "The allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF."
        if line.iter().any(|octet| (*octet < 0x20 && *octet != b'\t') || *octet == 0x7f) {
            return Err("a policy has no control characters but tab and newline");
        }
        // "Sequences of ASCII space and tab characters *only*."
        let mut items =
            line.split(|octet| matches!(octet, b' ' | b'\t')).filter(|item| !item.is_empty());
        let Some(keyword) = items.next().filter(|item| !item.starts_with(b"#")) else {
            return Ok(());
        };
        let items: Vec<&[u8]> = items.collect();
        match keyword {
            b"log" => self.log(&items),
            b"witness" => self.witness(&items),
            b"group" => self.group(&items),
            b"quorum" => self.quorum(&items),
            _ => Err("a line begins with log, witness, group or quorum"),
        }
    }

    /// `log <vkey> [<url>]`.
    fn log(&mut self, items: &[&[u8]]) -> Result<(), &'static str> {
        let (vkey, url) = match items {
            [vkey] => (vkey, None),
            [vkey, url] => (vkey, Some(url.to_vec())),
            _ => return Err("a log has a verifier key and perhaps a URL"),
        };
        let key = text(vkey)
            .and_then(|vkey| NoteVerifier::parse(vkey).ok())
            .ok_or("the verifier key is one of a log: type 0x01 or 0x06")?;
        // "Two vkeys are considered *duplicate* if they wrap the same underlying public key, even
        // if they differ by key name and key id."
        if self.logs.iter().any(|log| log.key.public_bytes() == key.public_bytes()) {
            return Err("no two logs have the same public key");
        }
        if self.logs.len() == POLICY_LOGS_MAX {
            return Err("a policy has at most 64 logs");
        }
        self.logs.push(PolicyLog { key, url });
        Ok(())
    }

    /// `witness <name> <vkey> [<url>]`.
    fn witness(&mut self, items: &[&[u8]]) -> Result<(), &'static str> {
        let (name, vkey, url) = match items {
            [name, vkey] => (name, vkey, None),
            [name, vkey, url] => (name, vkey, Some(url.to_vec())),
            _ => return Err("a witness has a name, a verifier key and perhaps a URL"),
        };
        self.check_new(name)?;
        let key = text(vkey)
            .and_then(|vkey| CosignatureVerifier::parse(vkey).ok())
            .ok_or("the verifier key is one of a cosigner: type 0x04 or 0x06")?;
        if self.witnesses.iter().any(|known| known.key.public_bytes() == key.public_bytes()) {
            return Err("no two witnesses have the same public key");
        }
        if self.witnesses.len() == POLICY_WITNESSES_MAX {
            return Err("a policy has at most 64 witnesses");
        }
        self.define(name, Node::Witness(self.witnesses.len()));
        self.witnesses.push(PolicyWitness { name: PolicyName::new(name), key, url });
        Ok(())
    }

    /// `group <name> all|any|<k> <name>...`.
    fn group(&mut self, items: &[&[u8]]) -> Result<(), &'static str> {
        let [name, threshold, listed @ ..] = items else {
            return Err("a group has a name, a threshold and members");
        };
        if listed.is_empty() {
            return Err("a group has a name, a threshold and members");
        }
        self.check_new(name)?;
        let mut members = Vec::with_capacity(listed.len());
        for member in listed {
            if *member == NONE {
                return Err("none is no member of a group");
            }
            let node = *self.names.get(*member).ok_or("a member is defined on a line before")?;
            // "Each defined name can be listed as a group member at most once."
            if !self.members.insert(node) {
                return Err("a name is a member at most once");
            }
            members.push(node);
        }
        let threshold = match *threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => text(number)
                .and_then(parse_decimal)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=members.len()).contains(number))
                .ok_or("the threshold is all, any, or a decimal from 1 to the members' number")?,
        };
        if self.groups == POLICY_GROUPS_MAX {
            return Err("a policy has at most 64 groups");
        }
        self.groups += 1;
        self.define(name, Node::Group { threshold, members });
        Ok(())
    }

    /// `quorum <name>`.
    fn quorum(&mut self, items: &[&[u8]]) -> Result<(), &'static str> {
        let [name] = items else { return Err("a quorum has one name") };
        if self.quorum.is_some() {
            return Err("a policy has exactly one quorum line");
        }
        self.quorum = Some(match *name {
            NONE => None,
            name => Some(*self.names.get(name).ok_or("the quorum is defined on a line before")?),
        });
        Ok(())
    }

    /// "Witnesses and groups share a single namespace."
    fn check_new(&self, name: &[u8]) -> Result<(), &'static str> {
        if name == NONE {
            return Err("none is predefined");
        }
        if self.names.contains_key(name) {
            return Err("a name is defined once");
        }
        Ok(())
    }

    fn define(&mut self, name: &[u8], node: Node) {
        self.names.insert(name.to_vec(), self.nodes.len());
        self.nodes.push(node);
    }
}

fn text(item: &[u8]) -> Option<&str> {
    std::str::from_utf8(item).ok()
}
