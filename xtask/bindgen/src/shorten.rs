//! Gives what the module imports short names. The generated ones tell a person what they are and carry a hash; in the
//! module they are read by nobody, and most of them do not compress.

use walrus::Module;

/// Renames the imports of `module`, and the functions of that name that `glue` exports.
pub(crate) fn shorten(module: &mut Module, glue: &str) -> String {
    let mut glue = glue.to_owned();
    for (number, import) in module.imports.iter_mut().enumerate() {
        let declared = format!("export function {}(", import.name);
        let short = format!("i{number}");
        // What is not declared in this way keeps its name.
        if glue.contains(&declared) {
            glue = glue.replace(&declared, &format!("export function {short}("));
            import.name = short;
        }
    }
    glue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_get_the_same_name() {
        let mut module = Module::default();
        let ty = module.types.add(&[], &[]);
        for name in ["__wbg_now_04", "__wbg_now_043", "elsewhere"] {
            module.add_import_func("./glue.js", name, ty);
        }
        let glue = "export function __wbg_now_043() {}\nexport function __wbg_now_04() {}\n";
        let shortened = shorten(&mut module, glue);
        let names: Vec<_> = module.imports.iter().map(|import| import.name.as_str()).collect();
        assert_eq!(names, ["i0", "i1", "elsewhere"]);
        assert_eq!(shortened, "export function i1() {}\nexport function i0() {}\n");
    }
}
