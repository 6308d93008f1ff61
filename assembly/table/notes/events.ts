// What a thread is told of the entries that it evicts or sweeps: each is copied to a buffer before it goes. JavaScript empties the buffer behind
// each call that may fill it. A thread without a buffer is told nothing, and one that is killed takes along what is in its own.
//
//   buffer:  0 u32 events in it    4 u32 room for them    8 u32 bytes of an event    12 u32 from its start to the value    16 events
//   event:   0 u32 reason          8 key, padded to 8 bytes | value as it is stored
import { LISTENER, word } from "./book";

export const EVENT_COUNT: usize = 0;
export const EVENT_ROOM: usize = 4;
export const EVENT_BYTES: usize = 8;
export const EVENT_VALUE: usize = 12;
export const EVENTS: usize = 16;
export const EVENT_KEY: usize = 8;

export const WAS_EVICTED: u32 = 1;
export const HAS_EXPIRED: u32 = 2;

/** Events that the thread is told in this buffer so far. */
@inline export function eventsOf(table: usize): u32 {
  const buffer = <usize>word(table, LISTENER);
  return buffer ? load<u32>(buffer, EVENT_COUNT) : 0;
}

/** Takes events back that turned out not to be: their operation is undone. */
export function untell(table: usize, events: u32): void {
  const buffer = <usize>word(table, LISTENER);
  if (buffer) store<u32>(buffer, events, EVENT_COUNT);
}

/** Whether another event has no room. Sweeps end there; an eviction comes with room for it. */
@inline export function isBufferFull(table: usize): bool {
  const buffer = <usize>word(table, LISTENER);
  return buffer != 0 && load<u32>(buffer, EVENT_COUNT) >= load<u32>(buffer, EVENT_ROOM);
}

/** Tells the thread of an entry that is about to go. */
@inline export function tell<B>(table: usize, block: usize, slot: u32, first: bool, reason: u32): void {
  const buffer = <usize>word(table, LISTENER);
  if (buffer) write<B>(table, buffer, block, slot, first, reason);
}

function write<B>(table: usize, buffer: usize, block: usize, slot: u32, first: bool, reason: u32): void {
  const events = load<u32>(buffer, EVENT_COUNT);
  if (events >= load<u32>(buffer, EVENT_ROOM)) return;
  const event = buffer + EVENTS + <usize>events * load<u32>(buffer, EVENT_BYTES);
  store<u32>(event, reason);
  changetype<B>(block).copyKey(table, slot, first, event + EVENT_KEY);
  changetype<B>(block).copyValue(table, slot, first, event + load<u32>(buffer, EVENT_VALUE));
  store<u32>(buffer, events + 1, EVENT_COUNT);
}
