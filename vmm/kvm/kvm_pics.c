/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/kvm_pics.h"

#include <linux/kvm.h>

#include "chips/pic.h"
#include "kvm/kvm.h"

#define PINS    8 /* of each PIC */
#define CASCADE 2 /* the master's pin on which the slave is */

/* KVM does not keep whether a PIC was ever initialized. One whose vectors begin at 0 is taken for
 * one that was not, since those are the processor's exceptions. Special mask mode is kept, too, but
 * KVM's PICs do not heed it. */
static void convert(const struct kvm_pic_state *state, bool is_master, struct pic_chip *chip)
{
	*chip = (struct pic_chip){
		.lines = (uint8_t)((state->irr & state->elcr) | (state->last_irr & ~state->elcr)),
		.latched = (uint8_t)(state->irr & ~state->elcr),
		.elcr = state->elcr,
		.slaves = is_master ? 1u << CASCADE : 0,
		.imr = state->imr,
		.isr = state->isr,
		.vector = state->irq_base,
		/* KVM has the pin of the highest priority, which is the next one. */
		.lowest = (uint8_t)((state->priority_add + PINS - 1) % PINS),
		.icws_left = state->init_state != 0,
		.initialized = state->irq_base != 0,
		.auto_eoi = state->auto_eoi,
		.rotate_in_auto_eoi = state->rotate_on_auto_eoi,
		.special_fully_nested = state->special_fully_nested_mode,
		.poll = state->poll,
		.reads_isr = state->read_reg_select,
	};
}

static int read_chip(int vm, uint32_t id, struct kvm_irqchip *chip)
{
	*chip = (struct kvm_irqchip){.chip_id = id};
	return kvm_ioctl(vm, KVM_GET_IRQCHIP, chip);
}

int kvm_read_pics(int vm, struct pic *pic, bool *uses_ioapic)
{
	struct kvm_irqchip master, slave, ioapic;
	int ret = read_chip(vm, KVM_IRQCHIP_PIC_MASTER, &master);

	if (ret >= 0)
		ret = read_chip(vm, KVM_IRQCHIP_PIC_SLAVE, &slave);
	if (ret >= 0)
		ret = read_chip(vm, KVM_IRQCHIP_IOAPIC, &ioapic);
	if (ret < 0)
		return ret;
	convert(&master.chip.pic, true, &pic->chips[0]);
	convert(&slave.chip.pic, false, &pic->chips[1]);
	*uses_ioapic = false;
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		*uses_ioapic |= !ioapic.chip.ioapic.redirtbl[i].fields.mask;
	return 0;
}
