/* SPDX-License-Identifier: BSD-2-Clause */
/* The PICs of KVM's struct kvm_irqchip (KVM API 4.26), in the form of vole's own. */
#include "kvm/kvm_pics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kvm.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"
#include "chips/pic.h"

static struct kvm_irqchip host[3]; /* by chip_id */
static uint32_t failing;           /* the chip_id that cannot be read */

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	struct kvm_irqchip *chip = argument;

	(void)fd;
	if (request != KVM_GET_IRQCHIP || chip->chip_id > KVM_IRQCHIP_IOAPIC ||
		chip->chip_id == failing) {
		errno = ENXIO;
		return -1;
	}
	*chip = host[chip->chip_id];
	return 0;
}

/* All pins of the IOAPIC are masked, and the PICs as after a reset. */
static void reset(void)
{
	memset(host, 0, sizeof host);
	for (uint32_t id = 0; id < 3; id++)
		host[id].chip_id = id;
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		host[KVM_IRQCHIP_IOAPIC].chip.ioapic.redirtbl[i].fields.mask = 1;
	failing = UINT32_MAX;
}

/* The host's PICs as vole's own, of which an acknowledge cycle takes what is requested. */
static struct pic read_pics(void)
{
	struct pic pic;
	bool uses_ioapic;

	memset(&pic, 0xff, sizeof pic);
	if (kvm_read_pics(0, &pic, &uses_ioapic) < 0)
		abort();
	return pic;
}

static void test_requests(void)
{
	struct kvm_pic_state *master = &host[KVM_IRQCHIP_PIC_MASTER].chip.pic;
	struct kvm_pic_state *slave = &host[KVM_IRQCHIP_PIC_SLAVE].chip.pic;
	struct pic pic;

	reset();
	pic = read_pics();
	ok(!pic.chips[0].initialized && !pic.chips[1].initialized && !pic_output(&pic),
		"4.26 PICs without vectors were not initialized");

	*master = (struct kvm_pic_state){.irq_base = 0x20, .irr = 0x13, .imr = 0x01, .isr = 0x04};
	*slave = (struct kvm_pic_state){.irq_base = 0x28, .imr = 0xff, .elcr = 0x0c, .irr = 0x44};
	pic = read_pics();
	is(pic_requests(&pic.chips[0]), 0x13, "4.26 edges that wait are the master's requests");
	is(pic_requests(&pic.chips[1]), 0x44, "4.26 edges and levels are the slave's");
	ok(pic.chips[1].elcr == 0x0c && pic.chips[1].lines == 0x04 && pic.chips[1].latched == 0x40,
		"4.26 a level is a line's, an edge is latched");
	ok(pic.chips[0].slaves == 0x04 && pic.chips[1].slaves == 0,
		"4.26 the slave is on the master's IR2");
	is(pic.chips[0].isr, 0x04, "4.26 what is in service");
	ok(pic.chips[0].imr == 0x01 && pic.chips[1].imr == 0xff, "4.26 what is masked");
	is(pic_acknowledge(&pic), 0x21, "4.26 IR1 is taken: IR0 is masked");
}

static void test_modes(void)
{
	struct kvm_pic_state *master = &host[KVM_IRQCHIP_PIC_MASTER].chip.pic;
	struct pic pic;

	reset();
	*master = (struct kvm_pic_state){.irq_base = 0x20, .irr = 0x03, .priority_add = 1};
	pic = read_pics();
	is(pic.chips[0].lowest, 0, "4.26 IR1 has the highest priority, so IR0 the lowest");
	is(pic_acknowledge(&pic), 0x21, "4.26 and IR1 is taken before IR0");

	*master = (struct kvm_pic_state){.irq_base = 0x20, .irr = 0x01, .init_state = 2};
	pic = read_pics();
	ok(pic.chips[0].icws_left != 0 && !pic_output(&pic),
		"4.26 initialization command words are still to be written");

	*master = (struct kvm_pic_state){.irq_base = 0x20,
		.auto_eoi = 1,
		.rotate_on_auto_eoi = 1,
		.special_mask = 1,
		.special_fully_nested_mode = 1,
		.poll = 1,
		.read_reg_select = 1};
	pic = read_pics();
	ok(pic.chips[0].auto_eoi && pic.chips[0].rotate_in_auto_eoi && !pic.chips[0].special_mask &&
			pic.chips[0].special_fully_nested && pic.chips[0].poll &&
			pic.chips[0].reads_isr && pic.chips[0].lowest == 7,
		"4.26 modes, and the usual priorities");
}

static void test_ioapic(void)
{
	struct pic pic;
	bool uses_ioapic = true;

	reset();
	ok(kvm_read_pics(0, &pic, &uses_ioapic) == 0 && !uses_ioapic,
		"4.26 all pins of the IOAPIC are masked");
	host[KVM_IRQCHIP_IOAPIC].chip.ioapic.redirtbl[KVM_IOAPIC_NUM_PINS - 1].fields.mask = 0;
	ok(kvm_read_pics(0, &pic, &uses_ioapic) == 0 && uses_ioapic, "4.26 one is not");
}

static void test_failures(void)
{
	for (uint32_t id = 0; id < 3; id++) {
		struct pic pic;
		bool uses_ioapic;
		const char *text;
		int ret;

		reset();
		failing = id;
		capture_begin();
		ret = kvm_read_pics(0, &pic, &uses_ioapic);
		text = capture_end();
		ok(ret == -ENXIO && capture_lines(text) == 1 && strstr(text, "KVM_GET_IRQCHIP"),
			"4.26 it is said that chip %u cannot be read", id);
	}
}

int main(void)
{
	test_requests();
	test_modes();
	test_ioapic();
	test_failures();
	return tap_done();
}
