//! Reads any serialisable event into canonical values, led by the schema tree.

use std::{collections::BTreeMap, fmt};

use serde::ser::{self, Impossible, Serialize};

use super::Value;
use crate::schema::{FieldType, SchemaTree};

/// The event and the schema have drifted apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// A field is not in the schema.
    #[error("event has a field that its schema does not know")]
    UnknownField,
    /// A value has a type that events do not use.
    #[error("event has a value of a type that events do not use")]
    UnexpectedType,
}

impl ser::Error for CanonicalError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::UnexpectedType
    }
}

/// Serialises one struct into its non-null fields by id.
pub(super) struct RecordSerializer<'t> {
    tree: &'t SchemaTree,
    fields: BTreeMap<u32, Value>,
}

impl<'t> RecordSerializer<'t> {
    pub(super) const fn new(tree: &'t SchemaTree) -> Self {
        Self { tree, fields: BTreeMap::new() }
    }
}

/// Serialises one value; nothing stands for null.
struct ValueSerializer<'t>(Option<&'t FieldType>);

struct ListSerializer<'t> {
    item_type: Option<&'t FieldType>,
    items: Vec<Value>,
}

struct MapSerializer<'t> {
    value_type: Option<&'t FieldType>,
    key: Option<String>,
    entries: BTreeMap<String, Value>,
}

struct NestedSerializer<'t>(RecordSerializer<'t>);

type NoValue<T> = Impossible<T, CanonicalError>;

macro_rules! unexpected {
    ($ok:ty: $($method:ident($type:ty)),* $(,)?) => {
        $(fn $method(self, _: $type) -> Result<$ok, CanonicalError> { Err(CanonicalError::UnexpectedType) })*
    };
}

macro_rules! unexpected_shapes {
    ($ok:ty) => {
        fn serialize_unit_struct(self, _: &'static str) -> Result<$ok, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
        fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<$ok, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
        fn serialize_newtype_variant<T: ?Sized + Serialize>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<$ok, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, CanonicalError> {
            Err(CanonicalError::UnexpectedType)
        }
    };
}

impl<'t> ser::Serializer for RecordSerializer<'t> {
    type Ok = BTreeMap<u32, Value>;
    type Error = CanonicalError;
    type SerializeSeq = NoValue<Self::Ok>;
    type SerializeTuple = NoValue<Self::Ok>;
    type SerializeTupleStruct = NoValue<Self::Ok>;
    type SerializeTupleVariant = NoValue<Self::Ok>;
    type SerializeMap = NoValue<Self::Ok>;
    type SerializeStruct = Self;
    type SerializeStructVariant = NoValue<Self::Ok>;

    unexpected!(Self::Ok:
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_u8(u8),
        serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_f32(f32), serialize_f64(f64), serialize_char(char),
        serialize_str(&str), serialize_bytes(&[u8]),
    );
    unexpected_shapes!(Self::Ok);

    fn serialize_none(self) -> Result<Self::Ok, CanonicalError> {
        Err(CanonicalError::UnexpectedType)
    }
    fn serialize_unit(self) -> Result<Self::Ok, CanonicalError> {
        Err(CanonicalError::UnexpectedType)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Self::Ok, CanonicalError> {
        value.serialize(self)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<Self::Ok, CanonicalError> {
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, CanonicalError> {
        Err(CanonicalError::UnexpectedType)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, CanonicalError> {
        Err(CanonicalError::UnexpectedType)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, CanonicalError> {
        Ok(self)
    }
}

impl ser::SerializeStruct for RecordSerializer<'_> {
    type Ok = BTreeMap<u32, Value>;
    type Error = CanonicalError;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), CanonicalError> {
        let field = self.tree.field(name).ok_or(CanonicalError::UnknownField)?;
        if let Some(value) = value.serialize(ValueSerializer(Some(&field.field_type)))? {
            self.fields.insert(field.id, value);
        }
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, CanonicalError> {
        Ok(self.fields)
    }
}

impl<'t> ser::Serializer for ValueSerializer<'t> {
    type Ok = Option<Value>;
    type Error = CanonicalError;
    type SerializeSeq = ListSerializer<'t>;
    type SerializeTuple = NoValue<Self::Ok>;
    type SerializeTupleStruct = NoValue<Self::Ok>;
    type SerializeTupleVariant = NoValue<Self::Ok>;
    type SerializeMap = MapSerializer<'t>;
    type SerializeStruct = NestedSerializer<'t>;
    type SerializeStructVariant = NoValue<Self::Ok>;

    unexpected!(Self::Ok:
        serialize_i8(i8), serialize_i16(i16), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_bytes(&[u8]),
    );
    unexpected_shapes!(Self::Ok);

    fn serialize_bool(self, flag: bool) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::Bool(flag)))
    }
    fn serialize_i32(self, number: i32) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::Integer(i64::from(number))))
    }
    fn serialize_i64(self, number: i64) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::Integer(number)))
    }
    fn serialize_str(self, text: &str) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::String(text.to_owned())))
    }
    fn serialize_none(self) -> Result<Self::Ok, CanonicalError> {
        Ok(None)
    }
    fn serialize_unit(self) -> Result<Self::Ok, CanonicalError> {
        Ok(None)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Self::Ok, CanonicalError> {
        value.serialize(self)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<Self::Ok, CanonicalError> {
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, CanonicalError> {
        match self.0 {
            Some(FieldType::List(item_type)) => Ok(ListSerializer { item_type: Some(item_type.as_ref()), items: Vec::new() }),
            _ => Err(CanonicalError::UnexpectedType),
        }
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, CanonicalError> {
        match self.0 {
            Some(FieldType::Map(value_type)) => {
                Ok(MapSerializer { value_type: Some(value_type.as_ref()), key: None, entries: BTreeMap::new() })
            }
            _ => Err(CanonicalError::UnexpectedType),
        }
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, CanonicalError> {
        match self.0 {
            Some(FieldType::Record(tree)) => Ok(NestedSerializer(RecordSerializer::new(tree))),
            _ => Err(CanonicalError::UnexpectedType),
        }
    }
}

impl ser::SerializeSeq for ListSerializer<'_> {
    type Ok = Option<Value>;
    type Error = CanonicalError;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, item: &T) -> Result<(), CanonicalError> {
        let item = item.serialize(ValueSerializer(self.item_type))?.ok_or(CanonicalError::UnexpectedType)?;
        self.items.push(item);
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::List(self.items)))
    }
}

impl ser::SerializeMap for MapSerializer<'_> {
    type Ok = Option<Value>;
    type Error = CanonicalError;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), CanonicalError> {
        match key.serialize(ValueSerializer(Some(&FieldType::String)))? {
            Some(Value::String(key)) => self.key = Some(key),
            _ => return Err(CanonicalError::UnexpectedType),
        }
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), CanonicalError> {
        let key = self.key.take().ok_or(CanonicalError::UnexpectedType)?;
        let value = value.serialize(ValueSerializer(self.value_type))?.ok_or(CanonicalError::UnexpectedType)?;
        self.entries.insert(key, value);
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::Map(self.entries)))
    }
}

impl ser::SerializeStruct for NestedSerializer<'_> {
    type Ok = Option<Value>;
    type Error = CanonicalError;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), CanonicalError> {
        ser::SerializeStruct::serialize_field(&mut self.0, name, value)
    }

    fn end(self) -> Result<Self::Ok, CanonicalError> {
        Ok(Some(Value::Record(self.0.fields)))
    }
}
