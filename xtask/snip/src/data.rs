//! Zeroes the data of a module that nothing in it refers to any more, so that the optimiser can leave it out.
//!
//! The linker knows which bytes are one thing and where the addresses of others stand in them; the optimised code knows
//! which addresses are still used. What is used, and what that refers to in turn, stays. A number in the code that only
//! looks like an address keeps more than is needed, never less.

use std::ops::Range;

use walrus::ir::{self, Visitor, dfs_in_order};
use walrus::{ConstExpr, Data, DataKind, Module};
use wasmparser::{
    Data as LinkedData, DataKind as LinkedKind, DataSectionReader, DefinedDataSymbol, KnownCustom, Linking,
    LinkingSectionReader, Operator, Parser, Payload, RelocSectionReader, RelocationEntry, RelocationType, SymbolInfo,
};

/// One thing in the data: a text, a table, a static.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Thing {
    /// Where it lies in the memory.
    range: Range<u64>,
    /// The addresses that stand in it.
    refers_to: Vec<u64>,
}

/// The data as the linker laid it out.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    things: Vec<Thing>,
    /// Things of which the code forms addresses that lie outside of them: to begin counting before them, say.
    outside: Vec<u64>,
}

impl Layout {
    /// Reads the notes that the linker leaves in a module with `--emit-relocs`.
    pub(crate) fn read(linked: &[u8]) -> Result<Self, String> {
        let layout = Notes::read(linked).and_then(|notes| notes.layout());
        match layout.map_err(|error| format!("the linker's notes: {error}"))? {
            layout if layout.things.is_empty() => Err("has no notes of the linker: link it with --emit-relocs".into()),
            layout => Ok(layout),
        }
    }
}

/// Zeroes the data that `module` does not need.
pub(crate) fn sweep(layout: &Layout, module: &mut Module) {
    let mut used = layout.outside.clone();
    used.extend(constants(module));
    let live = reach(&layout.things, &used);
    let ids: Vec<_> = module.data.iter().map(Data::id).collect();
    for id in ids {
        let data = module.data.get_mut(id);
        let DataKind::Active { offset: ConstExpr::Value(ir::Value::I32(start)), .. } = data.kind else { continue };
        for (index, byte) in data.value.iter_mut().enumerate() {
            let address = start as u64 + index as u64;
            if !live.iter().any(|thing| thing.contains(&address)) {
                *byte = 0;
            }
        }
    }
}

/// The ranges of the things that are reached from `used`, directly or through others.
fn reach(things: &[Thing], used: &[u64]) -> Vec<Range<u64>> {
    let mut live = vec![false; things.len()];
    let mut waiting = used.to_vec();
    while let Some(address) = waiting.pop() {
        for (index, thing) in things.iter().enumerate() {
            if thing.range.contains(&address) && !std::mem::replace(&mut live[index], true) {
                waiting.extend(&thing.refers_to);
            }
        }
    }
    things.iter().zip(live).filter(|(_, live)| *live).map(|(thing, _)| thing.range.clone()).collect()
}

/// Every number in the code that may be an address.
fn constants(module: &Module) -> Vec<u64> {
    #[derive(Default)]
    struct Constants(Vec<u64>);
    impl Visitor<'_> for Constants {
        fn visit_const(&mut self, constant: &ir::Const) {
            if let ir::Value::I32(number) = constant.value {
                self.0.push(u64::from(number as u32));
            }
        }
        fn visit_load(&mut self, load: &ir::Load) {
            self.0.push(load.arg.offset);
        }
        fn visit_store(&mut self, store: &ir::Store) {
            self.0.push(store.arg.offset);
        }
    }
    let mut constants = Constants::default();
    for (_, function) in module.funcs.iter_local() {
        dfs_in_order(&mut constants, function, function.entry_block());
    }
    constants.0
}

/// The parts of a linked module that tell of its data.
#[derive(Default)]
struct Notes<'a> {
    /// Where each segment lies in the memory, and its bytes in the file.
    segments: Vec<(u64, Range<usize>)>,
    /// Where the section of the data begins in the file.
    section: usize,
    /// The symbols; those that are no data hold the place of their number.
    symbols: Vec<Option<DefinedDataSymbol>>,
    relocations: Vec<RelocSectionReader<'a>>,
}

impl<'a> Notes<'a> {
    fn read(linked: &'a [u8]) -> wasmparser::Result<Self> {
        let mut notes = Self::default();
        for payload in Parser::new(0).parse_all(linked) {
            match payload? {
                Payload::DataSection(reader) => notes.read_segments(reader)?,
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Linking(reader) => notes.read_symbols(&reader)?,
                    KnownCustom::Reloc(reader) => notes.relocations.push(reader),
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(notes)
    }

    fn read_segments(&mut self, reader: DataSectionReader<'a>) -> wasmparser::Result<()> {
        self.section = reader.range().start;
        for segment in reader {
            let LinkedData { kind, data, range } = segment?;
            let mut address = 0;
            if let LinkedKind::Active { offset_expr, .. } = kind
                && let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
            {
                address = u64::from(value as u32);
            }
            self.segments.push((address, range.end - data.len()..range.end));
        }
        Ok(())
    }

    fn read_symbols(&mut self, reader: &LinkingSectionReader<'a>) -> wasmparser::Result<()> {
        for subsection in reader.subsections() {
            let Linking::SymbolTable(table) = subsection? else { continue };
            for symbol in table {
                self.symbols.push(match symbol? {
                    SymbolInfo::Data { symbol, .. } => symbol,
                    _ => None,
                });
            }
        }
        Ok(())
    }

    /// Where the data of a symbol lies in the memory.
    fn range_of(&self, symbol: u32) -> Option<Range<u64>> {
        let symbol = (*self.symbols.get(symbol as usize)?)?;
        let from = self.segments.get(symbol.index as usize)?.0 + u64::from(symbol.offset);
        Some(from..from + u64::from(symbol.size))
    }

    /// Where a byte of the section of the data lies in the memory.
    fn address_of(&self, offset: u32) -> Option<u64> {
        let place = self.section + offset as usize;
        let (address, contents) = self.segments.iter().find(|(_, contents)| contents.contains(&place))?;
        Some(address + (place - contents.start) as u64)
    }

    fn layout(&self) -> wasmparser::Result<Layout> {
        let ranges = (0..self.symbols.len() as u32).filter_map(|symbol| self.range_of(symbol));
        let things = ranges.filter(|range| !range.is_empty()).map(|range| Thing { range, refers_to: Vec::new() });
        let mut layout = Layout { things: things.collect(), outside: Vec::new() };
        for entry in self.relocations.iter().flat_map(RelocSectionReader::entries) {
            let RelocationEntry { ty, offset, index, addend } = entry?;
            let Some(target) = self.range_of(index) else { continue };
            match ty {
                RelocationType::MemoryAddrI32 => {
                    let holder = self.address_of(offset);
                    let holders =
                        layout.things.iter_mut().filter(|thing| holder.is_some_and(|at| thing.range.contains(&at)));
                    holders.for_each(|thing| thing.refers_to.push(target.start));
                }
                RelocationType::MemoryAddrLeb | RelocationType::MemoryAddrSleb => {
                    let address = target.start.wrapping_add_signed(addend);
                    if !target.contains(&address) {
                        layout.outside.push(target.start);
                    }
                }
                _ => {}
            }
        }
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ValType};

    use super::*;

    fn thing(from: u64, to: u64, refers_to: &[u64]) -> Thing {
        Thing { range: from..to, refers_to: refers_to.to_vec() }
    }

    #[test]
    fn what_is_used_keeps_what_it_refers_to() {
        let things = [thing(100, 104, &[200]), thing(200, 210, &[]), thing(300, 310, &[100])];
        assert_eq!(reach(&things, &[103]), [100..104, 200..210]);
        assert_eq!(reach(&things, &[300]).len(), 3);
        assert_eq!(reach(&things, &[104, 99, 0]), []);
    }

    #[test]
    fn only_data_that_nothing_refers_to_is_zeroed() {
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 1, None, None);
        let offset = ConstExpr::Value(ir::Value::I32(100));
        let data = module.data.add(DataKind::Active { memory, offset }, b"aaaabbbbcccc".to_vec());
        let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
        function.func_body().i32_const(109);
        let function = function.finish(Vec::new(), &mut module.funcs);
        module.exports.add("get", function);
        let layout = Layout {
            things: vec![thing(100, 104, &[]), thing(104, 108, &[]), thing(108, 112, &[100])],
            outside: Vec::new(),
        };
        sweep(&layout, &mut module);
        assert_eq!(module.data.get(data).value, b"aaaa\0\0\0\0cccc");
    }
}
