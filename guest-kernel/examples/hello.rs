// SPDX-License-Identifier: BSD-2-Clause
//
// The smallest kernel in Rust: core, but nothing of std.
//
//	rustc --target i686-unknown-linux-gnu --crate-type staticlib -C panic=abort -C opt-level=2 \
//		-C relocation-model=static -o libhello.a hello.rs
//	ld -m elf_i386 --gc-sections -Ttext-segment=0x100000 -e kernel -o hello.elf libhello.a
//	vole run hello.elf
//
// This takes Rust's core for 32-bit x86: `rustup target add i686-unknown-linux-gnu`, or, on Debian,
// rustc and libstd-rust-dev:i386. There the core has no SSE instructions, which vole's software CPU
// lacks. rustup's may have some, in formatting for instance (core::fmt), so this kernel does without.

#![no_std]
#![no_main]

use core::arch::asm;
use core::panic::PanicInfo;

const VOLE_PORT_DEBUG: u16 = 0xe9;
const VOLE_PORT_EXIT: u16 = 0xf4;

/// The beginning of vole/start_info.h's structure.
#[repr(C)]
pub struct StartInfo {
    ioapic_base: u32,
    mem_size: u32,
    mem_entries: u32,
    dev_size: u32,
    dev_entries: u32,
}

fn print(text: &str) {
    for byte in text.bytes() {
        unsafe { asm!("out dx, al", in("dx") VOLE_PORT_DEBUG, in("al") byte) }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    print("panic\n");
    loop {
        unsafe { asm!("out dx, eax", in("dx") VOLE_PORT_EXIT, in("eax") 1) }
    }
}

#[no_mangle]
pub extern "C" fn kernel(info: &StartInfo) -> i32 {
    print("Hello from a kernel in Rust!\n");
    if info.dev_size == 0 {
        print("There are no devices.\n");
    }
    0
}
