//go:build !purego

#include "textflag.h"

// The bit that asciiSet holds for a byte, by its upper half. Bytes above ASCII have
// one that no set holds for them: VPSHUFB gives 0 where the index is above 127.
DATA upperHalf<>+0(SB)/8, $0x8040201008040201
DATA upperHalf<>+8(SB)/8, $0x8080808080808080
GLOBL upperHalf<>(SB), RODATA|NOPTR, $16

DATA lowNibble<>+0(SB)/1, $0x0f
GLOBL lowNibble<>(SB), RODATA|NOPTR, $1

// PAIRS sets mask where (SI)(AX)[off:] is the byte in Y0 and (DI)(AX)[off:] is in the
// set: where what that holds for the lower half of the byte has the bit of the upper.
#define PAIRS(off, a, b, t, mask) \
	VMOVDQU off(DI)(AX*1), b \
	VPCMPEQB off(SI)(AX*1), Y0, a \
	VPSHUFB b, Y1, t \
	VPSRLW $4, b, b \
	VPAND Y3, b, b \
	VPSHUFB b, Y2, b \
	VPAND b, t, t \
	VPCMPEQB b, t, t \
	VPAND a, t, t \
	VPMOVMSKB t, mask

// func indexPairsLong(p *byte, n, gap int, c byte, near *asciiSet) (at int, which uint64)
TEXT ·indexPairsLong(SB), NOSPLIT, $0-56
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ gap+16(FP), DI
	MOVQ near+32(FP), DX
	VPBROADCASTB c+24(FP), Y0
	VBROADCASTI128 (DX), Y1
	VBROADCASTI128 upperHalf<>(SB), Y2
	VPBROADCASTB lowNibble<>(SB), Y3
	ADDQ SI, DI    // p[gap:]
	XORQ AX, AX    // where the block begins
	SUBQ $64, CX   // where the last one begins

block:
	PAIRS(0, Y4, Y5, Y6, R8)
	PAIRS(32, Y7, Y8, Y9, R9)
	SHLQ $32, R9
	ORQ R9, R8
	JNZ done
	CMPQ AX, CX
	JGE done
	ADDQ $64, AX
	CMPQ AX, CX
	CMOVQGT CX, AX // the last block may overlap the one before
	JMP block

done:
	MOVQ AX, at+40(FP)
	MOVQ R8, which+48(FP)
	VZEROUPPER
	RET
