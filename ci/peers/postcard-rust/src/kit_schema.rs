//! Values whose type is known only when a request comes: written and read through serde as a derived type would be.
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::kit::HUGE;

/// Items without bytes that an answer may hold: more are counted, as a collection of them would.
const KEPT: usize = 1_000_000;

pub enum Node {
    Plain(String),
    Unit,
    Option(usize),
    Seq(usize),
    /// Arrays, tuples and tuple structs.
    Tuple(Vec<usize>),
    Map(usize, usize),
    Struct(Vec<(String, usize)>),
    Enum(Vec<Variant>),
    Same(usize),
}

pub struct Variant {
    name: String,
    /// What it carries, and whether that is what serde calls a newtype variant.
    payload: Option<(usize, bool)>,
}

pub struct Schema {
    nodes: Vec<Node>,
    pub root: usize,
}

type Scope = HashMap<String, usize>;

impl Schema {
    pub fn of(json: &Value) -> Self {
        let mut schema = Schema { nodes: Vec::new(), root: 0 };
        schema.root = schema.add(json, &Scope::new());
        schema
    }

    fn put(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn add_all(&mut self, list: &Value, scope: &Scope) -> Vec<usize> {
        list.as_array().into_iter().flatten().map(|one| self.add(one, scope)).collect()
    }

    fn add_fields(&mut self, list: &Value, scope: &Scope) -> usize {
        let fields = list.as_array().into_iter().flatten();
        let fields = fields.map(|one| (text(&one["name"]), self.add(&one["schema"], scope))).collect();
        self.put(Node::Struct(fields))
    }

    fn add_variants(&mut self, list: &Value, scope: &Scope) -> usize {
        let mut variants: Vec<Variant> = Vec::new();
        for one in list.as_array().into_iter().flatten() {
            for _ in 0..one["repeat"].as_u64().unwrap_or(0) {
                let name = format!("{}{}", text(&one["prefix"]), variants.len());
                variants.push(Variant { name, payload: None });
            }
            if one.get("repeat").is_some() {
                continue;
            }
            let payload = if let Some(of) = one.get("newtype") {
                Some((self.add(of, scope), true))
            } else if let Some(items) = one.get("tuple") {
                let items = self.add_all(items, scope);
                Some((self.put(Node::Tuple(items)), false))
            } else {
                one.get("struct").map(|fields| (self.add_fields(fields, scope), false))
            };
            variants.push(Variant { name: text(&one["name"]), payload });
        }
        self.put(Node::Enum(variants))
    }

    fn add(&mut self, json: &Value, scope: &Scope) -> usize {
        if let Some(name) = json.as_str() {
            return self.put(if name == "unit" { Node::Unit } else { Node::Plain(name.to_string()) });
        }
        match json["type"].as_str().expect("a type") {
            "option" => {
                let of = self.add(&json["of"], scope);
                self.put(Node::Option(of))
            }
            "seq" => {
                let of = self.add(&json["of"], scope);
                self.put(Node::Seq(of))
            }
            "array" => {
                let of = self.add(&json["of"], scope);
                self.put(Node::Tuple(vec![of; json["len"].as_u64().expect("len") as usize]))
            }
            "tuple" | "tuple_struct" => {
                let items = self.add_all(&json["items"], scope);
                self.put(Node::Tuple(items))
            }
            "map" => {
                let key = self.add(&json["key"], scope);
                let value = self.add(&json["value"], scope);
                self.put(Node::Map(key, value))
            }
            "unit_struct" => self.put(Node::Unit),
            "newtype" => self.add(&json["of"], scope),
            "struct" => self.add_fields(&json["fields"], scope),
            "enum" => self.add_variants(&json["variants"], scope),
            "def" => {
                let slot = self.put(Node::Unit);
                let mut inner = scope.clone();
                inner.insert(text(&json["name"]), slot);
                self.nodes[slot] = Node::Same(self.add(&json["of"], &inner));
                slot
            }
            "ref" => self.put(Node::Same(scope[json["name"].as_str().expect("a name")])),
            other => panic!("unknown type {other}"),
        }
    }

    fn takes_no_bytes(&self, at: usize) -> bool {
        match &self.nodes[at] {
            Node::Unit => true,
            Node::Tuple(items) => items.iter().all(|&item| self.takes_no_bytes(item)),
            Node::Struct(fields) => fields.iter().all(|&(_, field)| self.takes_no_bytes(field)),
            _ => false,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_string()
}

/// Moves its values, where `json!` copies them: deep values would take the square of their depth.
pub fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

/// A value of the kit's JSON, to be written as its schema says.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub schema: &'a Schema,
    pub at: usize,
    pub json: &'a Value,
}

impl<'a> Typed<'a> {
    fn to(self, at: usize, json: &'a Value) -> Self {
        Typed { at, json, ..self }
    }

    fn plain<S: Serializer>(&self, kind: &str, serializer: S) -> Result<S::Ok, S::Error> {
        let json = self.json;
        let string = json.as_str().unwrap_or("");
        let bits = || u64::from_str_radix(string.trim_start_matches("0x"), 16).expect("bits");
        match kind {
            "bool" => serializer.serialize_bool(json.as_bool().expect("a bool")),
            "u8" => serializer.serialize_u8(json.as_u64().expect("a u8") as u8),
            "u16" => serializer.serialize_u16(json.as_u64().expect("a u16") as u16),
            "u32" => serializer.serialize_u32(json.as_u64().expect("a u32") as u32),
            "i8" => serializer.serialize_i8(json.as_i64().expect("an i8") as i8),
            "i16" => serializer.serialize_i16(json.as_i64().expect("an i16") as i16),
            "i32" => serializer.serialize_i32(json.as_i64().expect("an i32") as i32),
            "u64" | "usize" => serializer.serialize_u64(string.parse().expect("a u64")),
            "i64" | "isize" => serializer.serialize_i64(string.parse().expect("an i64")),
            "u128" => serializer.serialize_u128(string.parse().expect("a u128")),
            "i128" => serializer.serialize_i128(string.parse().expect("an i128")),
            "f32" => serializer.serialize_f32(f32::from_bits(bits() as u32)),
            "f64" => serializer.serialize_f64(f64::from_bits(bits())),
            "char" => serializer.serialize_char(string.chars().next().expect("a char")),
            "string" => serializer.serialize_str(string),
            "bytes" => serializer.serialize_bytes(&unhex(string)),
            other => panic!("unknown type {other}"),
        }
    }
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list = || self.json.as_array().expect("an array");
        match &self.schema.nodes[self.at] {
            Node::Plain(kind) => self.plain(kind, serializer),
            Node::Unit => serializer.serialize_unit(),
            Node::Same(of) => self.to(*of, self.json).serialize(serializer),
            Node::Option(of) => match self.json.get("some") {
                None => serializer.serialize_none(),
                Some(json) => serializer.serialize_some(&self.to(*of, json)),
            },
            Node::Seq(of) => {
                let mut seq = serializer.serialize_seq(Some(list().len()))?;
                for json in list() {
                    seq.serialize_element(&self.to(*of, json))?;
                }
                seq.end()
            }
            Node::Tuple(items) => {
                let mut tuple = serializer.serialize_tuple(items.len())?;
                for (&of, json) in items.iter().zip(list()) {
                    tuple.serialize_element(&self.to(of, json))?;
                }
                tuple.end()
            }
            Node::Map(key, value) => {
                let mut map = serializer.serialize_map(Some(list().len()))?;
                for pair in list() {
                    map.serialize_entry(&self.to(*key, &pair[0]), &self.to(*value, &pair[1]))?;
                }
                map.end()
            }
            // a struct is written as a tuple of its fields: names are not on the wire
            Node::Struct(fields) => {
                let mut tuple = serializer.serialize_tuple(fields.len())?;
                for (name, of) in fields {
                    tuple.serialize_element(&self.to(*of, &self.json[name]))?;
                }
                tuple.end()
            }
            Node::Enum(variants) => {
                let name = self.json["variant"].as_str().expect("a variant");
                let index = variants.iter().position(|one| one.name == name).expect("a variant that there is");
                match variants[index].payload {
                    None => serializer.serialize_unit_variant("", index as u32, ""),
                    // tuple and struct variants are the index and the fields one behind the other, as a tuple is
                    Some((of, _)) => {
                        let inner = self.to(of, &self.json["value"]);
                        serializer.serialize_newtype_variant("", index as u32, "", &inner)
                    }
                }
            }
        }
    }
}

/// Reads a value as its schema says, into the kit's JSON.
#[derive(Clone, Copy)]
pub struct Seed<'a> {
    pub schema: &'a Schema,
    pub at: usize,
}

macro_rules! read {
    ($type:ty, $deserializer:expr) => {
        <$type>::deserialize($deserializer)?
    };
}

fn plain<'de, D: Deserializer<'de>>(kind: &str, d: D) -> Result<Value, D::Error> {
    Ok(match kind {
        "bool" => json!(read!(bool, d)),
        "u8" => json!(read!(u8, d)),
        "u16" => json!(read!(u16, d)),
        "u32" => json!(read!(u32, d)),
        "i8" => json!(read!(i8, d)),
        "i16" => json!(read!(i16, d)),
        "i32" => json!(read!(i32, d)),
        "u64" | "usize" => json!(read!(u64, d).to_string()),
        "i64" | "isize" => json!(read!(i64, d).to_string()),
        "u128" => json!(read!(u128, d).to_string()),
        "i128" => json!(read!(i128, d).to_string()),
        "f32" => json!(format!("0x{:08x}", read!(f32, d).to_bits())),
        "f64" => json!(format!("0x{:016x}", read!(f64, d).to_bits())),
        "char" => json!(read!(char, d).to_string()),
        "string" => json!(read!(String, d)),
        "bytes" => json!(read!(&[u8], d).iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        other => panic!("unknown type {other}"),
    })
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        match &self.schema.nodes[self.at] {
            Node::Plain(kind) => plain(kind, d),
            Node::Unit => <()>::deserialize(d).map(|()| Value::Null),
            Node::Same(of) => Seed { at: *of, ..self }.deserialize(d),
            Node::Option(_) => d.deserialize_option(self),
            // the crate's users have a Vec of units here, which is read at once
            Node::Seq(of) if matches!(self.schema.nodes[*of], Node::Unit) => {
                let count = Vec::<()>::deserialize(d)?.len();
                HUGE.set(HUGE.get() || count > KEPT);
                Ok(Value::Array(vec![Value::Null; count.min(KEPT)]))
            }
            Node::Seq(_) => d.deserialize_seq(self),
            Node::Tuple(items) => d.deserialize_tuple(items.len(), self),
            Node::Struct(fields) => d.deserialize_tuple(fields.len(), self),
            Node::Map(..) => d.deserialize_map(self),
            Node::Enum(_) => d.deserialize_enum("", &[], self),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value of the schema")
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        let Node::Option(of) = self.schema.nodes[self.at] else { unreachable!() };
        Ok(object([("some", Seed { at: of, ..self }.deserialize(d)?)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let short = || A::Error::custom("too few items");
        match &self.schema.nodes[self.at] {
            Node::Struct(fields) => {
                let mut object = serde_json::Map::new();
                for (name, of) in fields {
                    let value = seq.next_element_seed(Seed { at: *of, ..self })?.ok_or_else(short)?;
                    object.insert(name.clone(), value);
                }
                Ok(Value::Object(object))
            }
            Node::Tuple(items) => {
                let read = |&of| seq.next_element_seed(Seed { at: of, ..self })?.ok_or_else(short);
                items.iter().map(read).collect()
            }
            Node::Seq(of) => {
                let bounded = !self.schema.takes_no_bytes(*of);
                let mut items = Vec::new();
                while let Some(item) = seq.next_element_seed(Seed { at: *of, ..self })? {
                    if bounded || items.len() < KEPT {
                        items.push(item);
                    } else {
                        HUGE.set(true);
                    }
                }
                Ok(Value::Array(items))
            }
            _ => unreachable!(),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Node::Map(key, value) = self.schema.nodes[self.at] else { unreachable!() };
        let bounded = !(self.schema.takes_no_bytes(key) && self.schema.takes_no_bytes(value));
        let mut pairs = Vec::new();
        while let Some(first) = map.next_key_seed(Seed { at: key, ..self })? {
            let second = map.next_value_seed(Seed { at: value, ..self })?;
            if bounded || pairs.len() < KEPT {
                pairs.push(Value::Array(vec![first, second]));
            } else {
                HUGE.set(true);
            }
        }
        Ok(Value::Array(pairs))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let Node::Enum(variants) = &self.schema.nodes[self.at] else { unreachable!() };
        let (index, content) = data.variant::<u32>()?;
        // as serde's derived code says it
        let Some(Variant { name, payload }) = variants.get(index as usize) else {
            return Err(A::Error::custom("invalid variant index"));
        };
        let Some((of, newtype)) = *payload else {
            content.unit_variant()?;
            return Ok(json!({ "variant": name }));
        };
        let inner = Seed { at: of, ..self };
        let value = match &self.schema.nodes[of] {
            Node::Tuple(items) if !newtype => content.tuple_variant(items.len(), inner)?,
            Node::Struct(fields) if !newtype => content.tuple_variant(fields.len(), inner)?,
            _ => content.newtype_variant_seed(inner)?,
        };
        Ok(object([("variant", json!(name)), ("value", value)]))
    }
}
