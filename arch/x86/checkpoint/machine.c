// SPDX-License-Identifier: GPL-2.0-only
/* What an image says of the machine that it comes from. */
#include <linux/buildid.h>
#include <linux/checkpoint.h>
#include <linux/cpufeature.h>
#include <linux/utsname.h>
#include <asm/cpuid.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/sections.h>

#include "../../../checkpoint/image.h"
#include "../../../checkpoint/restart.h"
#include "../kernel/fpu/internal.h"
#include "notes.h"
#include "vdso.h"

/*
 * The features that a program may have found and gone on to use: instructions,
 * not what is the kernel's business. Bits as in the Intel SDM, volume 2, CPUID,
 * and the AMD APM, volume 3, appendix E.
 */
static const struct {
	u8	leaf;	/* enum cpuid_leafs */
	u32	mask;
} ckpt_cpu_words[] = {
	[CKPT_CPU_1_EDX]	= { CPUID_1_EDX,	0x07888911 },
	[CKPT_CPU_1_ECX]	= { CPUID_1_ECX,	0x76d83203 },
	[CKPT_CPU_7_EBX]	= { CPUID_7_0_EBX,	0xfdbf0b39 },
	[CKPT_CPU_7_ECX]	= { CPUID_7_ECX,	0x1a405f7b },
	[CKPT_CPU_7_EDX]	= { CPUID_7_EDX,	0x03c0411c },
	[CKPT_CPU_7_1_EAX]	= { CPUID_7_1_EAX,	0x00e01c30 },
	[CKPT_CPU_D_1_EAX]	= { CPUID_D_1_EAX,	0x00000007 },
	[CKPT_CPU_80000001_EDX]	= { CPUID_8000_0001_EDX, 0xea400800 },
	[CKPT_CPU_80000001_ECX]	= { CPUID_8000_0001_ECX, 0x00210961 },
};

static u32 ckpt_cpu_word(size_t i)
{
	return boot_cpu_data.x86_capability[ckpt_cpu_words[i].leaf] &
	       ckpt_cpu_words[i].mask;
}

static void ckpt_kernel_build_id(u8 *id)
{
	memset(id, 0, CKPT_BUILD_ID_LEN);
	build_id_parse_buf(&__start_notes, id,
			   &__stop_notes - &__start_notes);
}

void ckpt_machine_describe(struct ckpt_image_header *hdr)
{
	hdr->arch = cpu_to_le32(CKPT_ARCH_X86_64);
	hdr->xfeatures = cpu_to_le64(fpu_user_cfg.default_features);
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_cpu_words); i++)
		hdr->cpu[i] = cpu_to_le32(ckpt_cpu_word(i));
	ckpt_kernel_build_id(hdr->kernel_build_id);
	ckpt_vdso_build_id(hdr->vdso_build_id, false);
	ckpt_vdso_build_id(hdr->vdso32_build_id, true);
	strscpy(hdr->release, init_utsname()->release, sizeof(hdr->release));
}

static int ckpt_cpu_words_check(struct rstr_ctx *ctx,
				const struct ckpt_image_header *hdr)
{
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_cpu_words); i++) {
		u32 lacks = le32_to_cpu(hdr->cpu[i]) & ~ckpt_cpu_word(i);
		const char *name;

		if (!lacks)
			continue;
		name = x86_cap_flags[ckpt_cpu_words[i].leaf * 32 +
				     __ffs(lacks)];
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "image: this CPU lacks %s (word %zu: %#x)",
				   name ?: "a feature", i, lacks);
	}
	return 0;
}

int ckpt_machine_check(struct rstr_ctx *ctx,
		       const struct ckpt_image_header *hdr)
{
	u64 xfeatures = le64_to_cpu(hdr->xfeatures);

	if (le32_to_cpu(hdr->arch) != CKPT_ARCH_X86_64)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "image: of architecture %u, not x86-64",
				   le32_to_cpu(hdr->arch));
	if (xfeatures & ~fpu_user_cfg.default_features)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "image: this CPU lacks FPU states %#llx",
				   xfeatures & ~fpu_user_cfg.default_features);
	return ckpt_cpu_words_check(ctx, hdr);
}
