//! Every domain-separation label of the store.

/// Associated data of a sealed cell: label ‖ framed table, key, column.
pub(crate) const CELL: &str = "symbolon/1 cell";
/// Key that seals cells, from a data key.
pub(crate) const CELL_KEY: &str = "symbolon/1 cell key";
/// Key of the local index of match keys, from the index secret.
pub(crate) const INDEX_KEY: &str = "symbolon/1 index key";
/// Key of the local index of external references, from the index secret.
pub(crate) const EXTERNAL_KEY: &str = "symbolon/1 external key";
/// Key of the local index of partners' TLS pins, from the index secret.
pub(crate) const PIN_KEY: &str = "symbolon/1 pin key";
/// Key of the local index of submitters, from the index secret.
pub(crate) const SUBMITTER_KEY: &str = "symbolon/1 submitter key";
/// Key of the local index of hotlines and what they submitted, from the index secret.
pub(crate) const HOTLINE_KEY: &str = "symbolon/1 hotline key";
/// Key that seals the content of one alert, from the secret of that alert.
pub(crate) const ALERT_KEY: &str = "symbolon/1 alert content key";
/// Name of the secret of one alert, from the secret.
pub(crate) const ALERT_SECRET_NAME: &str = "symbolon/1 alert secret name";
/// Key that seals the keyring, from the contents of a key file.
pub(crate) const KEY_FILE: &str = "symbolon/1 key file";
/// Associated data of the sealed part of the keyring file: label ‖ the encoded header.
pub(crate) const KEYRING: &str = "symbolon/1 keyring";
/// Random numbers of one open store, from the caller's seed and the index secret.
pub(crate) const RANDOM: &str = "symbolon/1 store random";
/// Public name of a new store, from the caller's seed.
pub(crate) const NEW_STORE: &str = "symbolon/1 new store";
/// Index secret of a new store, from the caller's seed.
pub(crate) const NEW_INDEX: &str = "symbolon/1 new index secret";
/// New data key, from the caller's seed.
pub(crate) const NEW_DATA_KEY: &str = "symbolon/1 new data key";
/// Salt of a keyring file, from the caller's seed.
pub(crate) const KEYRING_SALT: &str = "symbolon/1 keyring salt";
/// Nonce of a keyring file, from the caller's seed.
pub(crate) const KEYRING_NONCE: &str = "symbolon/1 keyring nonce";
