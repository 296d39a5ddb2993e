//! For tests: structs that the host writes lie in memory as the shaders read them.

use naga::TypeInner;

/// Checks every field's offset and the size of a struct against the struct `name` of a module.
pub(crate) fn assert_same_layout(source: &str, name: &str, size: usize, fields: &[(&str, usize)]) {
    let module =
        naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    let structs = module.types.iter().filter(|(_, of)| of.name.as_deref() == Some(name));
    let layouts: Vec<_> = structs
        .filter_map(|(_, of)| match &of.inner {
            TypeInner::Struct { members, span } => {
                let place = |m: &naga::StructMember| (m.name.clone().unwrap_or_default(), m.offset as usize);
                Some((members.iter().map(place).collect::<Vec<_>>(), *span as usize))
            }
            _ => None,
        })
        .collect();
    let fields: Vec<_> = fields.iter().map(|&(field, offset)| (field.to_owned(), offset)).collect();
    assert_eq!(layouts, [(fields, size)], "{name}: WGSL on the left, Rust on the right");
}

/// `same_layout!(Rust, "WGSL" of source, fields)`.
macro_rules! same_layout {
    ($rust:ty, $wgsl:literal of $source:expr, $($field:ident),+ $(,)?) => {
        crate::wgsl_layout::assert_same_layout(
            &$source,
            $wgsl,
            size_of::<$rust>(),
            &[$((stringify!($field), std::mem::offset_of!($rust, $field))),+],
        )
    };
}
pub(crate) use same_layout;
