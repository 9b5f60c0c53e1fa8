//! postcard-bindgen for the gate: `postcard-bindgen javascript|python FOLDER NAME` reads a schema of the kit
//! (harness/conformance/suites/postcard/README.md) from stdin and writes the npm or pip package NAME that the crate makes of it. What its derive registers for types in Rust source is registered
//! here at run time, by the same functions. Exit code 3, and why on stdout: a type that it has not.
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path as Folder;

use postcard_bindgen::{javascript, python, PackageInfo};
use postcard_bindgen_core::path::Path;
use postcard_bindgen_core::registry::{
    BindingsRegistry, EnumType, StructFields, StructType, TupleFields, TupleStructType, UnitStructType,
};
use postcard_bindgen_core::type_info::{GenBinding, ObjectMeta, ValueType};
use serde_json::Value;

const CRATE: &str = "peer";

thread_local! {
    static GIVEN: RefCell<VecDeque<ValueType>> = const { RefCell::new(VecDeque::new()) };
}

/// A type parameter of the crate's own types, whose type is said at run time.
struct Given;

impl GenBinding for Given {
    fn get_type() -> ValueType {
        GIVEN.with_borrow_mut(|given| given.pop_front()).expect("a type for each parameter")
    }
}

fn give(types: impl IntoIterator<Item = ValueType>) {
    GIVEN.with_borrow_mut(|given| given.extend(types));
}

fn of<T: GenBinding>(types: impl IntoIterator<Item = ValueType>) -> ValueType {
    give(types);
    T::get_type()
}

type Made = Result<ValueType, String>;

fn lacking<T>(what: impl Into<String>) -> Result<T, String> {
    Err(what.into())
}

fn plain(name: &str) -> Option<ValueType> {
    macro_rules! named {
        ($($ty:ident)+) => { match name { $(stringify!($ty) => return Some(<$ty>::get_type()),)+ _ => {} } };
    }
    named!(bool u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
    match name {
        "string" => Some(String::get_type()),
        "bytes" => Some(Vec::<u8>::get_type()),
        _ => None,
    }
}

fn array(len: u64, item: ValueType) -> Made {
    macro_rules! lengths {
        ($($len:literal)+) => { match len { $($len => Ok(of::<[Given; $len]>([item])),)+ _ => lacking(format!("array of {len}")) } };
    }
    // the lengths that occur in the golden data
    lengths!(0 1 2 3 4 5 6 7 8 9 16 31 32 33 100 127 128 300)
}

fn tuple(items: Vec<ValueType>) -> Made {
    type G = Given;
    match items.len() {
        1 => Ok(of::<(G,)>(items)),
        2 => Ok(of::<(G, G)>(items)),
        3 => Ok(of::<(G, G, G)>(items)),
        4 => Ok(of::<(G, G, G, G)>(items)),
        5 => Ok(of::<(G, G, G, G, G)>(items)),
        6 => Ok(of::<(G, G, G, G, G, G)>(items)),
        7 => Ok(of::<(G, G, G, G, G, G, G)>(items)),
        8 => Ok(of::<(G, G, G, G, G, G, G, G)>(items)),
        9 => Ok(of::<(G, G, G, G, G, G, G, G, G)>(items)),
        10 => Ok(of::<(G, G, G, G, G, G, G, G, G, G)>(items)),
        11 => Ok(of::<(G, G, G, G, G, G, G, G, G, G, G)>(items)),
        12 => Ok(of::<(G, G, G, G, G, G, G, G, G, G, G, G)>(items)),
        other => lacking(format!("tuple of {other}")),
    }
}

fn leak(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

#[derive(Default)]
struct Registered {
    registry: BindingsRegistry,
    count: usize,
}

impl Registered {
    fn all<'a>(&mut self, schemas: impl IntoIterator<Item = &'a Value>) -> Result<Vec<ValueType>, String> {
        schemas.into_iter().map(|schema| self.make(schema)).collect()
    }

    fn fields(&mut self, fields: &Value) -> Result<Vec<ValueType>, String> {
        let fields = fields.as_array().expect("fields");
        self.all(fields.iter().map(|field| &field["schema"]))
    }

    fn tuple_struct(&mut self, name: &'static str, fields: Vec<ValueType>) {
        let mut made = TupleStructType::new();
        for field in fields {
            give([field]);
            made.register_field::<Given>();
        }
        self.registry.register_tuple_struct_binding(name, CRATE, made);
    }

    fn enumeration(&mut self, name: &'static str, schema: &Value) -> Result<(), String> {
        let mut made = EnumType::new();
        for variant in schema["variants"].as_array().expect("variants") {
            for _ in 0..variant["repeat"].as_u64().unwrap_or(1) {
                // names are not on the wire
                let called = leak(format!("V{}", made.variants.len()));
                if let Some(items) = variant.get("newtype").map(std::slice::from_ref).or(variant["tuple"].as_array().map(Vec::as_slice)) {
                    let mut fields = TupleFields::default();
                    for item in self.all(items)? {
                        give([item]);
                        fields.register_field::<Given>();
                    }
                    made.register_variant_tuple(called, fields);
                } else if let Some(named) = variant.get("struct") {
                    let mut fields = StructFields::default();
                    for (i, field) in self.fields(named)?.into_iter().enumerate() {
                        give([field]);
                        fields.register_field::<Given>(leak(format!("f{i}")));
                    }
                    made.register_unnamed_struct(called, fields);
                } else {
                    made.register_variant(called);
                }
            }
        }
        self.registry.register_enum_binding(name, CRATE, made);
        Ok(())
    }

    fn make(&mut self, schema: &Value) -> Made {
        let kind = schema["type"].as_str().or(schema.as_str()).expect("a schema");
        if let Some(made) = plain(kind) {
            return Ok(made);
        }
        let items = schema["items"].as_array();
        match kind {
            "option" => Ok(of::<Option<Given>>([self.make(&schema["of"])?])),
            "seq" => Ok(of::<Vec<Given>>([self.make(&schema["of"])?])),
            "array" => array(schema["len"].as_u64().expect("len"), self.make(&schema["of"])?),
            "tuple" => tuple(self.all(items.expect("items"))?),
            "map" => Ok(of::<BTreeMap<Given, Given>>([self.make(&schema["key"])?, self.make(&schema["value"])?])),
            "unit" | "unit_struct" | "newtype" | "tuple_struct" | "struct" | "enum" => {
                let name = leak(format!("T{}", self.count));
                self.count += 1;
                match kind {
                    "newtype" => {
                        let inner = self.make(&schema["of"])?;
                        self.tuple_struct(name, vec![inner]);
                    }
                    "tuple_struct" => {
                        let inner = self.all(items.expect("items"))?;
                        self.tuple_struct(name, inner);
                    }
                    "struct" => {
                        let mut made = StructType::new();
                        for (i, field) in self.fields(&schema["fields"])?.into_iter().enumerate() {
                            give([field]);
                            made.register_field::<Given>(leak(format!("f{i}")));
                        }
                        self.registry.register_struct_binding(name, CRATE, made);
                    }
                    "enum" => self.enumeration(name, schema)?,
                    _ => self.registry.register_unit_struct_binding(name, CRATE, UnitStructType::new()),
                }
                Ok(ValueType::Object(ObjectMeta { name, path: Path::new(CRATE, "::") }))
            }
            other => lacking(other),
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [language, folder, name] = args.as_slice() else {
        panic!("usage: postcard-bindgen javascript|python FOLDER NAME < schema.json");
    };
    let schema: Value = serde_json::from_reader(std::io::stdin()).expect("a schema as JSON");
    let mut registered = Registered::default();
    match registered.make(&schema) {
        Ok(root) => registered.tuple_struct("Root", vec![root]),
        Err(what) => {
            print!("{what}");
            std::process::exit(3);
        }
    }
    let info = PackageInfo { name: name.clone(), version: "0.1.0".try_into().expect("a version") };
    let types = registered.registry.into_entries();
    let written = match language.as_str() {
        "python" => python::build_package(Folder::new(folder), info, python::GenerationSettings::enable_all(), types),
        _ => {
            let settings = javascript::GenerationSettings::enable_all().esm_module(false);
            javascript::build_package(Folder::new(folder), info, settings, types)
        }
    };
    written.expect("a folder to write to");
}
