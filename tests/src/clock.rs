//! A clock that is ahead, for one process: what `faketime` would set for it.

use std::path::Path;
use std::process::Command;

/// What stands before the name of a shared object of libfaketime; its process's number follows.
const SHARED: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// The variables that put a process's clock ahead by `shift`, such as `+40d` or `+7m`.
///
/// The program itself would stand between this process and the node, and take its signals: it is
/// asked only for what it would set.
pub(crate) fn ahead(shift: &str) -> Vec<String> {
    sweep();
    let asked = ["--exclude-monotonic", "-f", shift, "env"];
    let told = Command::new("faketime").args(asked).output().unwrap();
    let said = String::from_utf8(told.stdout).unwrap();
    let is_its = |line: &&str| line.starts_with("LD_PRELOAD=") || line.starts_with("FAKETIME");
    let set: Vec<String> = said.lines().filter(is_its).map(str::to_owned).collect();
    assert!(set.len() >= 2, "faketime: {}{said}", String::from_utf8_lossy(&told.stderr));
    set
}

/// Removes what processes left that were killed. libfaketime names its objects by the number of
/// the process and refuses to start in one whose number an object bears already: the next process
/// of that number, in this run of the tests or in one long after it, would fail.
pub(crate) fn sweep() {
    let Ok(objects) = std::fs::read_dir("/dev/shm") else { return };
    for object in objects.flatten() {
        let name = object.file_name();
        let Some(name) = name.to_str() else { continue };
        let owner = SHARED.iter().find_map(|before| name.strip_prefix(before));
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            // Another test may have removed it just before.
            let _ = std::fs::remove_file(object.path());
        }
    }
}

#[test]
fn what_a_killed_process_left_is_removed_and_what_a_living_one_has_stays() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let of =
        |number: u32| SHARED.map(|before| Path::new("/dev/shm").join(format!("{before}{number}")));
    let (left, held) = (of(child.id()), of(std::process::id()));
    for path in left.iter().chain(&held) {
        std::fs::write(path, [0; 32]).unwrap();
    }
    sweep();
    assert!(left.iter().all(|path| !path.exists()));
    assert!(held.iter().all(|path| path.exists()));
    held.iter().for_each(|path| std::fs::remove_file(path).unwrap());
}
