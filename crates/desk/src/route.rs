//! Routes: by which way alerts reach a partner.
//!
//! Implements spec/relay.md#routes.

use symbolon_audit::Entry;
use symbolon_store::{Route, Write};

use crate::api::{PartnerRoute, PartnerShown, Report};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Sets the way to a partner.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner, way or relay.
    pub fn partner_route(
        &self,
        officer: &Officer,
        request: PartnerRoute,
        _report: &mut dyn Report,
    ) -> Result<PartnerShown, DeskError> {
        let partner = self.partner_named(&request.partner)?;
        let route = self.route_parsed(&request.route)?;
        if route == Route::Relay(partner.node()) {
            return Err(DeskError::invalid(
                "a partner is not its own relay",
                "name a third node, or take 'direct'",
            ));
        }
        let mut row = partner.row.clone();
        row.route = route;
        row.changed_at = self.now();
        let digest = symbolon_codec::sha256("", &[partner.node().as_bytes()]);
        let words = format!("partner routed: {}: {}", partner.name(), request.route);
        let entry = Entry::admin(self.who(officer), &words, digest);
        self.store.commit(Write::new().partner(row).log(entry))?;
        self.partners_load()?;
        self.legs_forget(&partner.node());
        self.tell_queued(&[partner.node()]);
        self.partner_shown(&partner.node())
    }

    fn route_parsed(&self, text: &str) -> Result<Route, DeskError> {
        match (text, text.strip_prefix("relay:")) {
            ("direct", _) => Ok(Route::Direct),
            ("courier", _) => Ok(Route::Courier),
            (_, Some(name)) => Ok(Route::Relay(self.partner_named(name)?.node())),
            _ => Err(DeskError::invalid(
                "there is no such way to a partner",
                "it is direct, relay:NAME or courier",
            )),
        }
    }

    pub(crate) fn route_shown(&self, route: Route) -> String {
        match route {
            Route::Direct => "direct".to_owned(),
            Route::Courier => "courier".to_owned(),
            Route::Relay(relay) => match self.partner(&relay) {
                Some(relay) => format!("relay:{}", relay.name()),
                None => format!("relay:{relay}"),
            },
        }
    }
}
