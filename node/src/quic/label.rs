//! Domain-separation labels of the transport's local keys; none of them is seen by a partner.

/// Key for stateless reset tokens (RFC 9000 §10.3.2).
pub(super) const RESET: &str = "symbolon/1 stateless reset";
