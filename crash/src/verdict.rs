//! The notes of the viewers against what is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use quartile_collector::store::duckdb::DuckDb;
use quartile_protocol::field::Field;
use quartile_protocol::id::SiteId;
use quartile_protocol::row::Row;
use serde_json::Value;

use crate::Result;
use crate::damage::items;
use crate::state::{Key, Notes, State};

/// What may be missing.
#[derive(Debug, Default)]
pub struct Exempt {
    /// Slices of which a copy was in a record that was destroyed, or that are dead letters.
    pub slices: BTreeSet<Key>,
    /// The same of events.
    pub events: BTreeSet<Key>,
}

/// What a store holds.
pub struct Contents {
    /// Every slice, as the product has it.
    pub rows: Vec<Row>,
    events: Vec<Key>,
}

impl Contents {
    /// Reads everything, with the real database.
    pub fn read(store: &DuckDb) -> Result<Self> {
        let site = SiteId::new("demo")?;
        let events = store.all_events(&site)?.iter().map(|row| (row.view.to_string(), row.event.seq)).collect();
        Ok(Self { rows: store.all_rows(&site)?, events })
    }

    /// Holds it against the notes: everything that was acknowledged is there, once, with its last acknowledged state or
    /// a later one that was sent; and nothing else is there.
    pub fn check(&self, notes: &Notes, exempt: &Exempt) -> Result<()> {
        let noted = notes.by_key();
        let mut stored = BTreeMap::new();
        for row in &self.rows {
            let (key, state) = (key(row), state(row));
            match noted.get(&key) {
                None => return Err(format!("{key:?} is in the store and was never sent").into()),
                Some((sent, _)) if !sent.covers(&state) => {
                    return Err(format!("{key:?} is {state:?} in the store, and only {sent:?} was sent").into());
                }
                Some(_) => {}
            }
            if stored.insert(key.clone(), state).is_some() {
                return Err(format!("{key:?} is in the store twice").into());
            }
        }
        for (key, (_, acknowledged)) in &noted {
            let Some(acknowledged) = acknowledged.filter(|_| !exempt.slices.contains(*key)) else { continue };
            match stored.get(*key) {
                None => return Err(format!("LOST: {key:?} was acknowledged as {acknowledged:?} and is missing").into()),
                Some(state) if !state.covers(&acknowledged) => {
                    return Err(format!("LOST: {key:?} was acknowledged as {acknowledged:?} and is {state:?}").into());
                }
                Some(_) => {}
            }
        }
        self.check_events(notes, exempt)
    }

    fn check_events(&self, notes: &Notes, exempt: &Exempt) -> Result<()> {
        let sent: BTreeSet<_> = notes.events.iter().map(|(key, _)| key).collect();
        let stored: BTreeSet<_> = self.events.iter().collect();
        if stored.len() != self.events.len() {
            return Err("an event is in the store twice".into());
        }
        if let Some(phantom) = stored.iter().find(|key| !sent.contains(**key)) {
            return Err(format!("event {phantom:?} is in the store and was never sent").into());
        }
        let missing = notes
            .events
            .iter()
            .find(|(key, acknowledged)| *acknowledged && !stored.contains(key) && !exempt.events.contains(key));
        missing.map_or(Ok(()), |(key, _)| Err(format!("LOST: event {key:?} was acknowledged and is missing").into()))
    }

    /// Holds it against what a further sink got: the same.
    pub fn check_sent_on(&self, got: &BTreeMap<Key, State>, exempt: &Exempt) -> Result<()> {
        let stored: BTreeMap<_, _> = self.rows.iter().map(|row| (key(row), state(row))).collect();
        if let Some(phantom) = got.keys().find(|key| !stored.contains_key(*key) && !exempt.slices.contains(*key)) {
            return Err(format!("SINK: {phantom:?} was sent on and is not in the store").into());
        }
        let wrong = stored.iter().find(|(key, state)| got.get(*key) != Some(*state) && !exempt.slices.contains(*key));
        wrong.map_or(Ok(()), |(key, state)| {
            Err(format!("SINK: {key:?} is {state:?} in the store, and {:?} was sent on", got.get(key)).into())
        })
    }

    /// Holds it against a store that was made anew from the archive: every row is the same. Of what was destroyed in the
    /// queue after the store had it, the archive may know less.
    pub fn check_rebuilt(&self, rebuilt: &Self, exempt: &Exempt) -> Result<()> {
        let mut anew: BTreeMap<_, _> = rebuilt.rows.iter().map(|row| (key(row), row)).collect();
        for row in &self.rows {
            let key = key(row);
            match anew.remove(&key) {
                _ if exempt.slices.contains(&key) => {}
                Some(same) if same == row => {}
                other => return Err(format!("REBUILT WRONG: {key:?} was {row:?} and is {other:?}").into()),
            }
        }
        match anew.pop_first() {
            Some((key, _)) => Err(format!("REBUILT WRONG: {key:?} was not in the store before").into()),
            None => Ok(()),
        }
    }

    /// The sum of the plays, which a report has to tell as well.
    pub fn plays(&self) -> u64 {
        self.rows.iter().map(|row| row.fields[Field::Plays]).sum()
    }
}

fn key(row: &Row) -> Key {
    (row.key.view.to_string(), row.key.n)
}

fn state(row: &Row) -> State {
    State {
        span_ms: row.span_ms,
        played_ms: row.fields[Field::PlayedMs],
        seeks: row.fields[Field::Seeks],
        plays: row.fields[Field::Plays],
        watched: row.watched.bits() as u64,
    }
}

/// The slices and events in the dead letters, and how many letters there are.
pub fn dead_letters(data: &Path) -> Result<(Exempt, usize)> {
    let (mut exempt, mut count) = (Exempt::default(), 0);
    let Ok(entries) = fs::read_dir(data.join("dead-letters")) else { return Ok((exempt, 0)) };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let letter: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let (slices, events) = items(&letter["record"]);
        // A batch may have told of a slice twice; then both copies are in the letter.
        let different: BTreeSet<_> = slices.iter().chain(&events).collect();
        if different.len() != 1
            || !slices.is_empty() && !events.is_empty()
            || letter["reason"].as_str().unwrap_or_default().is_empty()
        {
            return Err(format!("{} is no dead letter of one item with its reason", path.display()).into());
        }
        exempt.slices.extend(slices);
        exempt.events.extend(events);
        count += 1;
    }
    Ok((exempt, count))
}

#[cfg(test)]
mod tests {
    use quartile_protocol::clock::Wall;
    use quartile_protocol::dimension::Dimensions;
    use quartile_protocol::field::Fields;
    use quartile_protocol::id::ViewId;
    use quartile_protocol::row::RowKey;

    use super::*;

    fn stored(played_ms: u64) -> Contents {
        let view = ViewId::new(Wall::from_ms(1_790_000_000_000), [1; 10]);
        let mut fields = Fields::default();
        fields[Field::PlayedMs] = played_ms;
        let row = Row {
            key: RowKey { site: SiteId::new("demo").unwrap(), view, n: 0 },
            started_at: Wall::from_ms(0),
            span_ms: 0,
            fields,
            watched: Default::default(),
            rewatched: Default::default(),
            active: Default::default(),
            dimensions: Dimensions::default(),
        };
        Contents { rows: vec![row], events: Vec::new() }
    }

    /// Whether a store with so much played time is what was noted.
    fn fits(stored: &Contents, sent: u64, acknowledged: Option<u64>) -> bool {
        let state = |played_ms| State { played_ms, ..State::default() };
        let slices = vec![(key(&self::stored(0).rows[0]), state(sent), acknowledged.map(state))];
        stored.check(&Notes { slices, ..Notes::default() }, &Exempt::default()).is_ok()
    }

    #[test]
    fn a_store_holds_what_was_acknowledged_or_a_little_more_and_nothing_else() {
        assert!(fits(&stored(5), 5, Some(5)));
        assert!(fits(&stored(6), 7, Some(5)), "sent, stored, and the answer was lost");
        assert!(!fits(&stored(4), 7, Some(5)), "less than was acknowledged");
        assert!(!fits(&stored(8), 7, Some(5)), "more than was sent");
        let nothing = Contents { rows: Vec::new(), events: Vec::new() };
        assert!(!fits(&nothing, 7, Some(5)));
        assert!(fits(&nothing, 7, None));
        let mut twice = stored(5);
        twice.rows.extend(stored(5).rows);
        assert!(!fits(&twice, 5, Some(5)));
        assert!(stored(5).check(&Notes::default(), &Exempt::default()).is_err(), "never sent");
    }

    #[test]
    fn a_rebuilt_store_is_the_same() {
        assert!(stored(5).check_rebuilt(&stored(5), &Exempt::default()).is_ok());
        assert!(stored(5).check_rebuilt(&stored(4), &Exempt::default()).is_err());
        let nothing = Contents { rows: Vec::new(), events: Vec::new() };
        assert!(stored(5).check_rebuilt(&nothing, &Exempt::default()).is_err());
        assert!(nothing.check_rebuilt(&stored(5), &Exempt::default()).is_err());
    }
}
