// The peer "hashbrown-wasm": Rust's std::collections::HashMap, which is hashbrown (a Swiss table), compiled to wasm32 and
// called as a careful user would call it: keys and values as plain numbers, no JavaScript object on the way, batches over
// flat buffers in its linear memory. The hasher is one multiply and one shift: std's SipHash would cost it another factor.
//
// Built by bench/peers/build.mjs with SIMD allowed, of which hashbrown makes no use here: its groups of 16 tags are SSE2's, NEON's
// and LSX's; wasm gets the generic ones, 8 tags in a u64 (the release wasm has no vector instruction besides copies of 16 bytes).
#![crate_type = "cdylib"]
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

#[derive(Default)]
pub struct Multiply(u64);

impl Hasher for Multiply {
    fn write(&mut self, _: &[u8]) {
        unreachable!()
    }
    fn write_u32(&mut self, key: u32) {
        let h = (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = h ^ (h >> 32);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

pub type Table = HashMap<u32, f64, BuildHasherDefault<Multiply>>;

#[no_mangle]
pub extern "C" fn create() -> *mut Table {
    Box::into_raw(Box::new(Table::default()))
}

#[no_mangle]
pub unsafe extern "C" fn destroy(table: *mut Table) {
    drop(Box::from_raw(table));
}

/// NaN where absent.
#[no_mangle]
pub unsafe extern "C" fn get(table: *const Table, key: u32) -> f64 {
    match (*table).get(&key) {
        Some(value) => *value,
        None => f64::NAN,
    }
}

#[no_mangle]
pub unsafe extern "C" fn has(table: *const Table, key: u32) -> u32 {
    (*table).contains_key(&key) as u32
}

#[no_mangle]
pub unsafe extern "C" fn set(table: *mut Table, key: u32, value: f64) {
    (*table).insert(key, value);
}

#[no_mangle]
pub unsafe extern "C" fn remove(table: *mut Table, key: u32) -> u32 {
    (*table).remove(&key).is_some() as u32
}

#[no_mangle]
pub unsafe extern "C" fn size(table: *const Table) -> u32 {
    (*table).len() as u32
}

/// Looks up `count` keys; zero where absent. How many were found.
#[no_mangle]
pub unsafe extern "C" fn get_many(table: *const Table, keys: *const u32, values: *mut f64, count: usize) -> u32 {
    let mut found = 0;
    for i in 0..count {
        *values.add(i) = match (*table).get(&*keys.add(i)) {
            Some(value) => {
                found += 1;
                *value
            }
            None => 0.0,
        };
    }
    found
}

#[no_mangle]
pub unsafe extern "C" fn set_many(table: *mut Table, keys: *const u32, values: *const f64, count: usize) {
    for i in 0..count {
        (*table).insert(*keys.add(i), *values.add(i));
    }
}

#[no_mangle]
pub unsafe extern "C" fn remove_many(table: *mut Table, keys: *const u32, count: usize) -> u32 {
    let mut removed = 0;
    for i in 0..count {
        removed += (*table).remove(&*keys.add(i)).is_some() as u32;
    }
    removed
}

/// Sum of all values: the walk.
#[no_mangle]
pub unsafe extern "C" fn sum(table: *const Table) -> f64 {
    (*table).values().sum()
}

#[no_mangle]
pub extern "C" fn allocate(bytes: usize) -> *mut u8 {
    let mut buffer: Vec<u64> = Vec::with_capacity((bytes + 7) / 8);
    let address = buffer.as_mut_ptr() as *mut u8;
    std::mem::forget(buffer);
    address
}
