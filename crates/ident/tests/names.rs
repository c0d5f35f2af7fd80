//! What must hold for names of every script: fixed points, and one set of keys for every spelling.
//!
//! Implements spec/identifiers.md#names.

use proptest::prelude::*;
use symbolon_ident::{Canonical, IdentError, Input, Kind, MatchKey, limits};
use unicode_normalization::UnicodeNormalization;

const KINDS: [Kind; 4] =
    [Kind::PersonName, Kind::PersonNameBirthDate, Kind::OrganisationName, Kind::VesselName];

/// Words of scripts that have a table or a rule here.
fn names() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-zA-Z]{1,9}",
        "[A-Za-zà-žÀ-Ž]{2,9}",
        "[а-яА-ЯёіїєґўђјљњћџѓќѕқғңөүҳЁІЇЄҐЎЂЈЉЊЋЏ]{2,9}",
        "[α-ωΑ-Ρά-ώ]{2,9}",
        "[\u{621}-\u{63a}\u{641}-\u{64a}پچژگکی]{2,9}",
        "[\u{5d0}-\u{5ea}]{2,8}",
        "[ა-ჰ]{2,9}",
        "[ա-ֆԱ-Ֆ]{2,9}",
        "[ก-ฮะ-ูเ-ไ]{2,8}",
        "[ぁ-ゔァ-ヴー]{2,6}",
        "[가-힣]{1,4}",
        "[\u{4e00}-\u{9fa5}]{1,4}",
        "[0-9]{1,4}",
        "[a-zé]{2,4}['’] [a-zé]{1,4}",
    ];
    proptest::collection::vec(word, 1..6).prop_map(|words| words.join(" "))
}

fn parse(kind: Kind, text: &str) -> Result<Canonical, IdentError> {
    Canonical::parse(kind, Input { text, issuer: Some("UA"), date: Some("1957-03-02") })
}

fn keys(kind: Kind, text: &str) -> Result<Vec<MatchKey>, IdentError> {
    parse(kind, text).map(|canonical| canonical.keys().to_vec())
}

/// The same name as other hands would type it, in the same order and without a comma.
fn respelled(name: &str, style: u8) -> String {
    match style % 9 {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        // The space behind an apostrophe is a slip, anything else is meant.
        2..=4 | 8 if name.contains(['\'', '’']) => name.to_owned(),
        2 => name.replace(' ', "-"),
        3 => name.replace(' ', " . / "),
        4 => name.replace(' ', "\u{a0}"),
        5 => name.nfd().collect(),
        6 => name.nfkc().collect(),
        7 => name
            .chars()
            .map(|c| match u32::from(c) {
                code @ 0x21..=0x7e => char::from_u32(code + 0xfee0).unwrap_or(c),
                0x20 => '\u{3000}',
                _ => c,
            })
            .collect(),
        _ => name.split(' ').map(|word| format!("\u{200e}{word} ")).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn case_width_and_separators_never_count(name in names(), style: u8) {
        for kind in KINDS {
            prop_assert_eq!(keys(kind, &name), keys(kind, &respelled(&name, style)), "{}", kind);
        }
    }

    #[test]
    fn names_become_a_to_z_and_stay(name in names()) {
        for kind in KINDS {
            let Ok(first) = parse(kind, &name) else { continue };
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == ' ';
            let (words, date) = first.expose().split_once('|').unwrap_or((first.expose(), ""));
            prop_assert!(words.chars().all(plain), "{}", kind);
            prop_assert_eq!(date.is_empty(), kind != Kind::PersonNameBirthDate);
            prop_assert!((1..=limits::KEYS_MAX).contains(&first.keys().len()));
            let again = parse(kind, words);
            if again.as_ref().err() == Some(&IdentError::Placeholder) {
                // `のー` is the word `no`.
                continue;
            }
            let again = again.as_ref().map(Canonical::expose);
            prop_assert_eq!(again, Ok(first.expose()), "{}", kind);
        }
    }

    #[test]
    fn the_order_of_words_counts_for_initials_only(name in names()) {
        prop_assume!(!name.contains(['\'', '’']));
        let turned: Vec<&str> = name.split(' ').rev().collect();
        let turned = turned.join(" ");
        prop_assert_eq!(keys(Kind::PersonName, &name), keys(Kind::PersonName, &turned));
        prop_assert_eq!(keys(Kind::VesselName, &name), keys(Kind::VesselName, &turned));
    }
}

#[test]
fn a_refused_key_has_its_reason() {
    let refused = |kind, text| {
        let parsed = parse(kind, text).unwrap();
        parsed.refused().iter().map(|refused| (refused.form.as_str(), refused.reason)).collect()
    };
    let common = IdentError::TooCommon;
    let of_person: Vec<_> = refused(Kind::PersonNameBirthDate, "Ali");
    assert!(of_person.contains(&("tokens", common)));
    let of_organisation: Vec<_> = refused(Kind::OrganisationName, "TRADING COMPANY");
    assert!(of_organisation.contains(&("head_country", common)));
    assert!(of_organisation.contains(&("tokens", common)));
    for text in ["TRADING COMPANY", "INTERNATIONAL"] {
        assert_eq!(Canonical::parse(Kind::OrganisationName, text).err(), Some(common));
    }
    assert_eq!(Canonical::parse(Kind::PersonName, "Mohammad").err(), Some(common));
}
