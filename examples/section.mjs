// Updates a field of a value in place, through its address: node examples/section.mjs
import { createHost, struct, u32, u53 } from "bpfmap";

const host = createHost();
const account = struct({ owner: u32, transfers: u32, balance: u53 });
const accounts = host.createMap({ type: "rhash", key: u32, value: account, maxEntries: 10_000 });
for (let id = 0; id < 1000; id++) accounts.set(id, { owner: id, transfers: 0, balance: 100 });

// In a section no entry moves and no memory is reused, so addresses stay good while the map is written. Views do not: an
// insert may grow the memory, so they are read from the host each time.
function transfer(from, to) {
  host.section(() => {
    const source = accounts.lookup(from);
    if (source === 0) throw new Error(`no account ${from}`);
    if (!accounts.has(to)) accounts.set(to, { owner: to, transfers: 0, balance: 0 });
    const target = accounts.lookup(to);
    for (const address of [source, target]) {
      host.u32[(address + account.offsets.transfers) >>> 2]++;
    }
    const at = account.offsets.balance;
    const amount = host.view.getBigUint64(source + at, true);
    host.view.setBigUint64(source + at, 0n, true);
    host.view.setBigUint64(target + at, host.view.getBigUint64(target + at, true) + amount, true);
  });
}

transfer(7, 8);
transfer(8, 5000);
console.log(accounts.get(7));
console.log(accounts.get(8));
console.log(accounts.get(5000));

let sum = 0;
for (const { balance } of accounts.values()) sum += balance;
console.log(`${accounts.size} accounts, sum ${sum}`);

// Prints:
// { owner: 7, transfers: 1, balance: 0 }
// { owner: 8, transfers: 2, balance: 0 }
// { owner: 5000, transfers: 1, balance: 200 }
// 1001 accounts, sum 100000
