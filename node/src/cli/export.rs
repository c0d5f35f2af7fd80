//! `symbolon audit export`: the log as the static files of C2SP tlog-tiles, made from leaves alone.
//!
//! Implements spec/log.md#export.
//!
//! Invariant: the checkpoint is written last, and only where the tiles lead to its root; a file
//! that is there with other contents is never overwritten, but for the checkpoint itself.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;
use symbolon_desk::api::{AuditLeaves, LeavesPage};
use symbolon_tlog::bundle::encode_entries;
use symbolon_tlog::limits::TILE_WIDTH;
use symbolon_tlog::tile::{Row, encode_hashes};
use symbolon_tlog::{CheckpointVerifier, Edge, Frontier, Tile, TlogError, leaf_hash};
use symbolon_web::Line;

use super::{Output, Progress};
use crate::client::Client;
use crate::exit::{Exit, Failure};

/// What an export came to.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    /// Leaves.
    pub(crate) size: u64,
    /// Tiles, bundles and the checkpoint.
    pub(crate) files: u64,
    /// Files that were not there yet.
    pub(crate) files_new: u64,
    /// The signed checkpoint.
    pub(crate) checkpoint: String,
    /// Verifier keys of the log.
    pub(crate) vkeys: Vec<String>,
}

/// Writes the log below `folder`.
pub(crate) async fn export(
    client: &Client,
    folder: &Path,
    reason: &str,
    out: Output,
) -> Result<Exported, Failure> {
    let mut files = Files { folder: folder.to_path_buf(), all: 0, new: 0 };
    let (mut tree, mut edge, mut bundle) = (Frontier::new(), Edge::default(), Vec::new());
    let mut progress = Progress::new(out.is_json());
    let mut first: Option<(u64, LeavesPage)> = None;
    loop {
        let export = first.as_ref().map(|(_, page)| page.export);
        let (from, reason) = (tree.size(), reason.to_owned());
        let request = AuditLeaves { from, limit: None, export, reason };
        let page: LeavesPage = client.call("/v1/audit/leaves", &request, &mut |_| {}).await?;
        // The first page's checkpoint sets the size: the log grows while it is read.
        let size = match &first {
            Some((size, _)) => *size,
            None => {
                let size = verified(&page)?.0;
                first = Some((size, LeavesPage { leaves: Vec::new(), ..page.clone() }));
                size
            }
        };
        let left = usize::try_from(size - tree.size()).unwrap_or(usize::MAX);
        for leaf in page.leaves.iter().take(left) {
            let leaf = hex::decode(leaf).map_err(|_| damaged("a leaf is no hexadecimal"))?;
            let hash = leaf_hash(&leaf);
            tree.append(hash).map_err(unusable)?;
            bundle.push(leaf);
            for tile in edge.append(hash) {
                if tile.level == 0 {
                    files.entries(tile.index, &std::mem::take(&mut bundle))?;
                }
                files.hashes(tile.level, tile.index, &tile.hashes)?;
            }
        }
        let (stage, done, total) = ("writing tiles".to_owned(), tree.size(), Some(size));
        progress.line(Line::Progress(symbolon_desk::api::Progress { stage, done, total }));
        if tree.size() >= size {
            break;
        }
        if page.leaves.is_empty() {
            return Err(damaged("the log is shorter than its checkpoint"));
        }
    }
    progress.finish()?;
    let (_, page) = first.ok_or_else(|| damaged("there is no checkpoint"))?;
    for tile in edge.partial() {
        if tile.level == 0 {
            files.entries(tile.index, &bundle)?;
        }
        files.hashes(tile.level, tile.index, &tile.hashes)?;
    }
    if verified(&page)?.1 != tree.root() {
        return Err(damaged("the leaves do not lead to the signed root"));
    }
    files.checkpoint(&page.checkpoint)?;
    Ok(Exported {
        size: tree.size(),
        files: files.all,
        files_new: files.new,
        checkpoint: page.checkpoint,
        vkeys: page.vkeys,
    })
}

/// Size and root of the page's checkpoint, both signatures checked.
fn verified(page: &LeavesPage) -> Result<(u64, symbolon_tlog::Hash), Failure> {
    let verifier = CheckpointVerifier::parse(&page.vkeys).map_err(unusable)?;
    let checkpoint = verifier.verify_text(&page.checkpoint).map_err(unusable)?;
    Ok((checkpoint.size(), checkpoint.root()))
}

/// The files of an export.
struct Files {
    folder: PathBuf,
    all: u64,
    new: u64,
}

impl Files {
    fn entries(&mut self, index: u64, leaves: &[Vec<u8>]) -> Result<(), Failure> {
        let width = u16::try_from(leaves.len()).unwrap_or(TILE_WIDTH);
        let tile = Tile::new(Row::Entries, index, width).map_err(unusable)?;
        self.write(&tile.path(), &encode_entries(leaves).map_err(unusable)?)
    }

    fn hashes(
        &mut self,
        level: u8,
        index: u64,
        hashes: &[symbolon_tlog::Hash],
    ) -> Result<(), Failure> {
        let width = u16::try_from(hashes.len()).unwrap_or(TILE_WIDTH);
        let tile = Tile::new(Row::Hashes { level }, index, width).map_err(unusable)?;
        self.write(&tile.path(), &encode_hashes(hashes))
    }

    /// Writes what is not there, and refuses to change what is.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join(path);
        self.all += 1;
        match fs::read(&path) {
            Ok(old) if old == bytes => return Ok(()),
            Ok(_) => {
                return Err(Failure::new(
                    Exit::Refused,
                    format!("{} holds another log", self.folder.display()),
                    "export to an empty folder; if it was this log's, call the auditor",
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => return Err(unwritable(&path)),
        }
        self.new += 1;
        replace(&path, bytes)
    }

    fn checkpoint(&mut self, text: &str) -> Result<(), Failure> {
        self.all += 1;
        let path = self.folder.join("checkpoint");
        self.new += u64::from(!path.exists());
        replace(&path, text.as_bytes())
    }
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let beside = path.with_extension("new");
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&beside, bytes))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|_| unwritable(path))
}

fn unwritable(path: &Path) -> Failure {
    Failure::invalid(
        format!("{} cannot be written", path.display()),
        "look at the folder's rights and space",
    )
}

fn unusable(error: TlogError) -> Failure {
    damaged(&error.to_string())
}

fn damaged(cause: &str) -> Failure {
    Failure::new(
        Exit::CheckFailed,
        format!("the log cannot be exported: {cause}"),
        "'symbolon audit verify' says more",
    )
}
