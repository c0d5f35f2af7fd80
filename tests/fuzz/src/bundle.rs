//! Evidence bundles: whole ones, and single documents before any signature is looked at.

/// Bundles and their documents.
pub mod evidence {
    use symbolon_verify::{Draft, ItemKind, Making, Root, Subject, verify};

    const KINDS: [ItemKind; 8] = [
        ItemKind::Card,
        ItemKind::Agreement,
        ItemKind::EpochCard,
        ItemKind::Statement,
        ItemKind::Checkpoint,
        ItemKind::Opening,
        ItemKind::Private,
        ItemKind::Consistency,
    ];

    /// As a bundle; then as a document whose kind the first byte says.
    pub fn run(bytes: &[u8]) {
        if let Ok(verified) = verify(bytes) {
            assert!(!verified.page().contains("<script"));
        }
        let _ = std::str::from_utf8(bytes).map(Root::parse);
        let Some((first, rest)) = crate::choose(bytes) else { return };
        for (kind, name) in [("hit", "1"), ("alert", "31313131-3131-3131-3131-313131313131")] {
            let mut draft = Draft::new();
            draft.add(KINDS[first.saturating_sub(1) % KINDS.len()], rest.to_vec());
            let making = Making {
                node: [1; 32],
                card_digest: [2; 32],
                built_at: 1_790_000_000,
                officer: "officer".into(),
                reason: "fuzz".into(),
                subject: Subject { kind: kind.into(), name: name.into() },
            };
            // No document alone is a bundle.
            assert!(draft.manifest(making).is_err());
        }
    }
}
