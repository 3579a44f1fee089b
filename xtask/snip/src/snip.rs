//! Takes out of a module what can only be reached on the way to a trap, or not at all.
//!
//! The module aborts when it panics, and nobody ever reads the message: the functions that write one become traps, so
//! that the optimiser finds their callees unused. A function whose address was taken stays in the module's table even if
//! nothing refers to it any more; those of formatting are known by name and become traps, too. A
//! trap that was reached after all is an error inside the SDK, which the loader keeps from the page.

use walrus::{Export, FunctionBuilder, FunctionId, FunctionKind, Module};

/// Parts of the symbols of functions that end in a trap anyhow.
const NEVER_RETURN: &[&str] = &[
    "9panicking9panic_fmt",
    "9panicking18panic_bounds_check",
    "9panicking5panic",
    "9panicking11panic_const",
    "9panicking15panic_with_hook",
    "slice_index_fail",
    "slice_error_fail",
    "len_mismatch_fail",
    "assert_failed",
    "6option13expect_failed",
    "6option13unwrap_failed",
    "6result13unwrap_failed",
    "22panic_already_borrowed",
    "12handle_error",
    "17capacity_overflow",
    "18handle_alloc_error",
];

/// Parts of the symbols of functions that only messages need.
const ONLY_FOR_MESSAGES: &[&str] = &["4core3fmt", "PanicPayload", "18default_alloc_error"];

/// Turns what is not needed into traps, and exports only what a loader calls.
pub(crate) fn snip(module: &mut Module) {
    let unwanted: Vec<_> = module.exports.iter().filter(|export| is_internal(&export.name)).map(Export::id).collect();
    for id in unwanted {
        module.exports.delete(id);
    }
    let unneeded: Vec<FunctionId> = module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| module.exports.get_exported_func(*id).is_none())
        .filter(|id| module.funcs.get(*id).name.as_deref().is_some_and(is_unneeded))
        .collect();
    for id in unneeded {
        let ty = module.types.get(module.funcs.get(id).ty());
        let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
        let args = params.iter().map(|param| module.locals.add(*param)).collect();
        let mut trap = FunctionBuilder::new(&mut module.types, &params, &results);
        trap.func_body().unreachable();
        module.funcs.get_mut(id).kind = FunctionKind::Local(trap.local_func(args));
    }
}

/// Whether an export serves the linker, and no loader.
fn is_internal(export: &str) -> bool {
    export.starts_with("__")
}

fn is_unneeded(symbol: &str) -> bool {
    [NEVER_RETURN, ONLY_FOR_MESSAGES].into_iter().flatten().any(|part| symbol.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_becomes_a_trap() {
        let mut module = Module::default();
        let add = |module: &mut Module, name: &str| {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[walrus::ValType::I32]);
            function.name(name.into()).func_body().i32_const(7);
            function.finish(Vec::new(), &mut module.funcs)
        };
        let kept = add(&mut module, "_ZN16quartile_tracker7tracker7observe17h0E");
        let exported = add(&mut module, "_ZN4core3fmt7exported17h1E");
        let message = add(&mut module, "_RNvNtCsgXGp5Oqx2Ny_4core9panicking9panic_fmt");
        module.exports.add("observe", exported);
        module.exports.add("__heap_base", kept);
        snip(&mut module);
        let traps = |id: FunctionId| {
            let function = module.funcs.get(id).kind.unwrap_local();
            matches!(function.block(function.entry_block()).instrs[..], [(walrus::ir::Instr::Unreachable(_), _)])
        };
        assert_eq!([kept, exported, message].map(traps), [false, false, true]);
        let exports: Vec<_> = module.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports, ["observe"]);
    }
}
