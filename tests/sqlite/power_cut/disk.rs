//! What is on a disk after a power cut: everything that was synced, and some of what was not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::support::TestResult;

/// A disk writes sectors whole or not at all.
const SECTOR: usize = 512;

/// What a process did to a file.
#[derive(Debug)]
pub(crate) enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
    Sync,
    Unlink,
}

/// Changes with the paths of their files, in the order in which they were made.
pub(crate) fn read_notes(mut notes: &[u8]) -> TestResult<Vec<(String, Change)>> {
    let mut changes = Vec::new();
    while !notes.is_empty() {
        let mut number = || -> TestResult<usize> {
            let (bytes, rest) = notes.split_at_checked(8).ok_or("a note is cut off")?;
            notes = rest;
            Ok(usize::try_from(u64::from_ne_bytes(bytes.try_into()?))?)
        };
        let [kind, path_length, data_length, offset] = [number()?, number()?, number()?, number()?];
        let (path, rest) = notes.split_at_checked(path_length).ok_or("a path is cut off")?;
        let (data, rest) = rest.split_at_checked(data_length).ok_or("the data is cut off")?;
        notes = rest;
        let change = match char::from(u8::try_from(kind)?) {
            'w' => Change::Write { offset, data: data.to_vec() },
            't' => Change::Truncate(offset),
            's' => Change::Sync,
            'u' => Change::Unlink,
            other => return Err(format!("no change has the kind {other}").into()),
        };
        changes.push((String::from_utf8(path.to_vec())?, change));
    }
    Ok(changes)
}

/// The files after the changes, if the power is cut then. `choose` picks one of so many possibilities for each sector that was
/// not synced.
pub(crate) fn after_power_cut(
    changes: &[(String, Change)],
    mut choose: impl FnMut(usize) -> usize,
) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for ((path, change), is_synced) in changes.iter().zip(are_synced(changes)) {
        match change {
            Change::Unlink => {
                files.remove(path);
            }
            Change::Sync => {}
            Change::Truncate(length) => {
                if is_synced || choose(2) == 0 {
                    files.entry(path.clone()).or_default().resize(*length, 0);
                }
            }
            Change::Write { offset, data } => {
                let file = files.entry(path.clone()).or_default();
                // Whole, lost, or some of its sectors.
                match if is_synced { 0 } else { choose(3) } {
                    0 => write(file, *offset, data),
                    1 => {}
                    _ => {
                        for sector in sectors(*offset, data.len()).filter(|_| choose(2) == 0) {
                            let part = data.get(sector.start - offset..sector.end - offset).unwrap_or_default();
                            write(file, sector.start, part);
                        }
                    }
                }
            }
        }
    }
    files
}

/// Whether each change is followed by a sync of its file.
fn are_synced(changes: &[(String, Change)]) -> Vec<bool> {
    let mut synced = BTreeSet::new();
    let newest_first = changes.iter().rev().map(|(path, change)| {
        if matches!(change, Change::Sync) {
            synced.insert(path);
        }
        synced.contains(path)
    });
    let mut are_synced = newest_first.collect::<Vec<_>>();
    are_synced.reverse();
    are_synced
}

fn write(file: &mut Vec<u8>, offset: usize, data: &[u8]) {
    file.resize(file.len().max(offset + data.len()), 0);
    if let Some(place) = file.get_mut(offset..offset + data.len()) {
        place.copy_from_slice(data);
    }
}

/// The parts of a range that lie in one sector each.
fn sectors(offset: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    let end = offset + length;
    (offset / SECTOR..end.div_ceil(SECTOR))
        .map(move |sector| (sector * SECTOR).max(offset)..((sector + 1) * SECTOR).min(end))
}
