//! What JavaScript holds, reached by name: what is missing or throws is `undefined`.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A member.
pub(crate) fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// A member that is a text; empty when it is something else.
pub(crate) fn text(of: &JsValue, name: &str) -> String {
    get(of, name).as_string().unwrap_or_default()
}

/// Whether a member is there and true.
pub(crate) fn is_true(of: &JsValue, name: &str) -> bool {
    get(of, name).is_truthy()
}

/// Calls a method with one argument.
pub(crate) fn call(of: &JsValue, name: &str, first: &JsValue) -> Option<JsValue> {
    get(of, name).unchecked_ref::<Function>().call1(of, first).ok()
}

/// Calls a method with two arguments.
pub(crate) fn call_with_two(of: &JsValue, name: &str, first: &JsValue, second: &JsValue) {
    drop(get(of, name).unchecked_ref::<Function>().call2(of, first, second));
}
