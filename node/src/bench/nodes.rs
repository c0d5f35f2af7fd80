//! The two nodes of a measurement: one that holds the large store, one that asks.

use std::io::Write;
use std::path::Path;

use symbolon_desk::api::{
    AgreementAccept, AgreementFile, AgreementPropose, CardShown, Nothing, PartnerAdd, PartnerShown,
};

use crate::cli::Output;
use crate::exit::Failure;
use crate::loopback::LoopbackNode;

/// Elements that one may ask the other in an epoch.
const BUDGET: u64 = 1_000_000;

const OFFICER: &str = "bench";
pub(super) const PURPOSE: &str = "nonproliferation";

/// Tells a person what is being done.
pub(super) fn say(out: Output, text: &str) {
    if !out.is_json() {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// The holder of the large store, and the one that asks it.
pub(super) struct Pair {
    pub(super) holder: LoopbackNode,
    pub(super) asker: LoopbackNode,
}

impl Pair {
    pub(super) async fn start(folder: &Path) -> Result<Pair, Failure> {
        Ok(Pair {
            holder: LoopbackNode::create(folder, "holder", "NOR", OFFICER).await?,
            asker: LoopbackNode::create(folder, "asker", "PRT", OFFICER).await?,
        })
    }

    /// Cards both ways, and an agreement on documents.
    pub(super) async fn introduce(&self) -> Result<(), Failure> {
        for (from, to) in [(&self.holder, &self.asker), (&self.asker, &self.holder)] {
            let card: CardShown = from.call("partner/card", &Nothing {}).await?;
            let add =
                PartnerAdd { card: card.armored, confirmed_fingerprint: Some(card.fingerprint) };
            let _: PartnerShown = to.call("partner/add", &add).await?;
        }
        let propose = AgreementPropose {
            partner: self.holder.name().to_owned(),
            purposes: vec![PURPOSE.to_owned()],
            kinds: Vec::new(),
            budgets: [("document".to_owned(), BUDGET)].into_iter().collect(),
            epoch_seconds: 7 * 86_400,
            retention_days: 365,
            days: 365,
            exercise: false,
        };
        let mut file: AgreementFile = self.asker.call("partner/agree", &propose).await?;
        for node in [&self.holder, &self.asker] {
            let confirmed_digest = Some(file.terms.digest);
            let accept = AgreementAccept { armored: file.armored, confirmed_digest };
            file = node.call("partner/accept", &accept).await?;
        }
        Ok(())
    }

    /// Stops both and waits for them.
    pub(super) async fn stop(mut self) {
        self.asker.stop().await;
        self.holder.stop().await;
    }
}
