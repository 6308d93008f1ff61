// The errnos that the core answers with (asm-generic/errno-base.h). Their texts live in TypeScript.
export const EPERM: u32 = 1;
export const ENOENT: u32 = 2;
export const E2BIG: u32 = 7;
export const ENOMEM: u32 = 12;
export const EEXIST: u32 = 17;
export const EINVAL: u32 = 22;
export const ENOSPC: u32 = 28;
export const ESTALE: u32 = 116;
// Of the shared build.
export const EBUSY: u32 = 16;
export const ERANGE: u32 = 34;
export const EDEADLK: u32 = 35;
export const ETIMEDOUT: u32 = 110;
