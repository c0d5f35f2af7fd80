//! From the form of a watch rule to the rule: every refusal names the field and the remedy, and no
//! value.
//!
//! Implements spec/watch.md#form.

use symbolon_record::{AlertClass, CodeScheme, RecordKind};
use symbolon_trust::Mode;

use super::rule::{Delivery, IdentifierWatch, ItemWatch, PlaceWatch, Rule, Target, folded_code};
use crate::alert::form::{country, identifier, names, one_of, read_place, refused};
use crate::api::WatchForm;
use crate::limits::{WATCH_LIST_MAX, WATCH_NAME_BYTES_MAX, WATCH_TARGETS_MAX, WATCH_URL_BYTES_MAX};
use crate::{Desk, DeskError};

/// Hosts to which a notice may go without TLS.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

impl Desk {
    /// Reads a form. Identifiers are turned into marks at once.
    pub(super) fn watch_form_read(&self, form: &WatchForm) -> Result<Rule, DeskError> {
        let name = form.name.trim();
        if name.is_empty() || name.len() > WATCH_NAME_BYTES_MAX || name.contains(char::is_control) {
            let remedy = format!("give the rule a name of at most {WATCH_NAME_BYTES_MAX} bytes");
            return Err(refused("name", &remedy));
        }
        let mut identifiers = Vec::new();
        each(&form.identifiers, "identifiers", |given, field| {
            let canonical = identifier(given, field, &mut Vec::new())?.canonical();
            let canonical =
                canonical.map_err(|_| refused(field, "give its kind and correct it"))?;
            let marks = canonical.keys().iter().map(|key| self.store.record_mark(key).into());
            identifiers.push(IdentifierWatch { kind: canonical.kind(), marks: marks.collect() });
            Ok(())
        })?;
        let rule = Rule {
            mode: if form.exercise { Mode::Exercise } else { Mode::Live },
            classes: each(&form.classes, "classes", |text, field| {
                one_of(text, field, AlertClass::ALL)
            })?,
            kinds: each(&form.kinds, "kinds", |text, field| one_of(text, field, RecordKind::ALL))?,
            items: each(&form.items, "items", |text, field| item(text, field))?,
            countries: each(&form.countries, "countries", |text, field| country(text, field))?,
            places: each(&form.routes, "routes", |place, field| {
                let place = read_place(place, field)?;
                let place = place.ok_or_else(|| refused(field, "give a name or a country"))?;
                Ok(PlaceWatch { name: place.name, country: place.country })
            })?,
            identifiers,
            delivery: match form.delivery.as_deref() {
                None | Some("digest") => Delivery::Digest,
                Some("ring") => Delivery::Ring,
                Some(_) => return Err(refused("delivery", "it is one of digest, ring")),
            },
            targets: targets(&form.targets, self.rules.hosts.get().map_or(&[], Vec::as_slice))?,
        };
        if rule.is_blank() {
            return Err(DeskError::invalid(
                "the rule asks for nothing, so it would fit every alert",
                "give classes, kinds, items, countries, routes or identifiers; all alerts are in \
                 'symbolon inbox'",
            ));
        }
        Ok(rule)
    }
}

/// Reads every value of a list, each under the name of its field.
fn each<T, U>(
    list: &[T],
    field: &str,
    mut read: impl FnMut(&T, &str) -> Result<U, DeskError>,
) -> Result<Vec<U>, DeskError> {
    if list.len() > WATCH_LIST_MAX {
        return Err(refused(field, &format!("give {WATCH_LIST_MAX} at most")));
    }
    list.iter().enumerate().map(|(n, value)| read(value, &format!("{field}[{n}]"))).collect()
}

fn item(text: &str, field: &str) -> Result<ItemWatch, DeskError> {
    let (scheme, code) = match text.split_once(':') {
        Some((scheme, code)) => (Some(one_of(scheme.trim(), field, CodeScheme::ALL)?), code),
        None => (None, text),
    };
    let prefix = folded_code(code);
    if prefix.is_empty() || prefix.len() > symbolon_record::limits::CODE_BYTES_MAX {
        let lists = names(CodeScheme::ALL);
        let remedy = format!("give the beginning of a code, such as 2B or nsg:3.A (of {lists})");
        return Err(refused(field, &remedy));
    }
    Ok(ItemWatch { scheme, prefix })
}

fn targets(given: &[String], hosts: &[String]) -> Result<Vec<Target>, DeskError> {
    if given.len() > WATCH_TARGETS_MAX {
        return Err(refused("targets", &format!("give {WATCH_TARGETS_MAX} at most")));
    }
    let mut targets = Vec::new();
    for (number, text) in given.iter().enumerate() {
        let target = match text.trim() {
            "inbox" => Target::Inbox,
            "syslog" => Target::Syslog,
            "lines" => Target::Lines,
            address => webhook(address, &format!("targets[{number}]"), hosts)?,
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    if targets.is_empty() {
        targets.push(Target::Inbox);
    }
    Ok(targets)
}

/// An address: at a host that the configuration names, with TLS but for this very machine, and
/// nothing in it that is a secret.
fn webhook(text: &str, field: &str, hosts: &[String]) -> Result<Target, DeskError> {
    let remedy = "it is inbox, syslog, lines, or an address that begins with https:// and has \
                  neither a user name nor a fragment; http:// only to this machine";
    let refused = || refused(field, remedy);
    let is_plain =
        text.len() <= WATCH_URL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let (scheme, rest) = text.split_once("://").filter(|_| is_plain).ok_or_else(refused)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port: u16 = port.parse().map_err(|_| refused())?;
            if port == 0 { "" } else { host }
        }
        _ => authority,
    };
    let is_host = !host.is_empty() && !authority.contains('@') && !text.contains('#');
    if !is_host || scheme != "https" && (scheme != "http" || !LOOPBACK.contains(&host)) {
        return Err(refused());
    }
    let target = Target::Webhook(text.to_owned());
    if target.is_at(hosts) {
        return Ok(target);
    }
    Err(DeskError::invalid(
        format!("'{field}': the node's configuration does not name this host for webhooks"),
        "have its operator add the host, with the port if there is one, to notice_hosts in \
         symbolon.toml",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_https_or_this_machine() {
        let hosts = [
            "desk.example",
            "Desk.example:8443",
            "[2001:db8::1]",
            "127.0.0.1:9000",
            "[::1]:9000",
            "localhost",
            "127.0.0.1.example",
        ];
        let hosts = hosts.map(str::to_owned);
        let is_taken = |text: &str| webhook(text, "targets[0]", &hosts).is_ok();
        for text in [
            "https://desk.example/alerts",
            "https://desk.example:8443/alerts?from=node",
            "https://[2001:db8::1]/x",
            "http://127.0.0.1:9000/x",
            "http://[::1]:9000/x",
            "http://localhost/x",
        ] {
            assert!(is_taken(text), "{text}");
        }
        let long = format!("https://desk.example/{}", "x".repeat(600));
        for text in [
            "http://desk.example/x",
            "http://127.0.0.1.example/x",
            "http://localhost@desk.example/x",
            "https://user:word@desk.example/x",
            "https://desk.example/x#y",
            "https:///x",
            "https://:443/x",
            "https://desk.example:0/x",
            "https://desk.example:port/x",
            "ftp://desk.example/x",
            "https://desk.example/a b",
            "mail",
            &long,
            // Correct, and named by nobody.
            "https://other.example/x",
            "https://desk.example:444/x",
            "https://sub.desk.example/x",
            "https://desk.example.org/x",
            "http://127.0.0.1:9001/x",
        ] {
            assert!(!is_taken(text), "{text}");
        }
        let unnamed = webhook("https://desk.example/x", "targets[0]", &[]).unwrap_err();
        assert!(unnamed.to_string().contains("'targets[0]'"), "{unnamed}");
        assert!(unnamed.remedy().contains("notice_hosts"), "{unnamed}");
    }

    #[test]
    fn a_target_is_named_once_and_the_inbox_is_the_usual_one() {
        assert_eq!(targets(&[], &[]).unwrap(), [Target::Inbox]);
        let twice = ["syslog".to_owned(), "lines".to_owned(), "syslog".to_owned()];
        assert_eq!(targets(&twice, &[]).unwrap(), [Target::Syslog, Target::Lines]);
    }

    #[test]
    fn an_item_is_a_list_and_the_beginning_of_a_code() {
        let read = |text: &str| item(text, "items[0]").map(|item| item.to_string());
        assert_eq!(read("2b 3").unwrap(), "2B3");
        assert_eq!(read("nsg: 3.a").unwrap(), "nsg:3.A");
        for text in ["", "nsg:", "other:2B", &"1".repeat(40)] {
            let refused = read(text).unwrap_err();
            assert!(refused.to_string().contains("'items[0]'"), "{refused}");
        }
    }
}
