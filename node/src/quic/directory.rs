//! What the transport must be told about this node and its partners; holds nothing itself.

use symbolon_protocol::{Established, Local, Partner};
use symbolon_tlog::VerifiedCheckpoint;
use symbolon_trust::{NodeId, TlsPin};

/// This node and its partners as they are now. Asked anew at every handshake and request, so that
/// a partner suspended a second ago is not served.
pub(crate) trait Directory: Send + Sync + 'static {
    /// The active partner whose card pins this key. Called inside the TLS handshake: answers from
    /// memory.
    fn by_pin(&self, pin: &TlsPin) -> Option<NodeId>;

    /// The card and last seen checkpoint of an active partner. May block.
    fn partner(&self, node: &NodeId) -> Option<Partner>;

    /// This node's card, keys and latest checkpoint. May block.
    fn local(&self) -> Local;

    /// A hello succeeded: the place to keep a newer card and checkpoint of the partner. May block.
    fn met(&self, session: &Established);

    /// A hello of this partner showed a checkpoint that contradicts what was seen of its log. May
    /// block.
    fn contradicted(&self, node: &NodeId, shown: VerifiedCheckpoint);
}
