/* init_image.S - the container's init program as bytes inside the runtime.
 *
 * launch.c writes them to a sealed memfd and executes that (CVE-2019-5736). The file is made in the
 * build directory, which is where the assembler runs.
 */
	.section .rodata
	.global init_image_start
	.global init_image_end
	.hidden init_image_start
	.hidden init_image_end
	.type init_image_start, %object
	.type init_image_end, %object
	.balign 4096
init_image_start:
	.incbin "mxcrun-init"
init_image_end:
	.byte 0
	.size init_image_start, init_image_end - init_image_start
	.size init_image_end, 1

	.section .note.GNU-stack, "", %progbits
