using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SipNat.Media.Srtp;

/// <summary>
/// The compression of SHA-1 (FIPS 180-4 §6.1.2) with as many messages side by side as a vector has lanes of 32 bits. The
/// sixteen words of the schedule are locals, so that they stay in registers: in memory each would wait for the one before.
/// </summary>
internal static class Sha1Lanes
{
    public const int BlockWords = 16;
    public const int StateWords = 5;

    private interface IMixing
    {
        static abstract uint Constant { get; }

        static abstract Vector<uint> Mix(Vector<uint> b, Vector<uint> c, Vector<uint> d);
    }

    /// <summary>The state that every message begins with (FIPS 180-4 §5.3.1).</summary>
    public static ReadOnlySpan<uint> Start => [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0];

    /// <summary>Takes the next block of each message into its state.</summary>
    /// <param name="state">Of each message, word by word.</param>
    /// <param name="block">The next block of each message, word by word. It is used up.</param>
    /// <param name="isActive">All bits of the lanes whose state is to change.</param>
    public static void Compress(Span<Vector<uint>> state, Span<Vector<uint>> block, Vector<uint> isActive)
    {
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4]);
        Twenty<Choose>(ref a, ref b, ref c, ref d, ref e, block);
        Twenty<Parity>(ref a, ref b, ref c, ref d, ref e, block);
        Twenty<Majority>(ref a, ref b, ref c, ref d, ref e, block);
        Twenty<LateParity>(ref a, ref b, ref c, ref d, ref e, block);
        state[0] += a & isActive;
        state[1] += b & isActive;
        state[2] += c & isActive;
        state[3] += d & isActive;
        state[4] += e & isActive;
    }

    // All eighty at once are more than the compiler takes into one method.
    private static void Twenty<TMixing>(
        ref Vector<uint> stateA, ref Vector<uint> stateB, ref Vector<uint> stateC, ref Vector<uint> stateD, ref Vector<uint> stateE, Span<Vector<uint>> block)
        where TMixing : struct, IMixing
    {
        var (a, b, c, d, e) = (stateA, stateB, stateC, stateD, stateE);
        block = block[..BlockWords];
        Four p = new(block), q = new(block[4..]), r = new(block[8..]), s = new(block[12..]);
        Rounds<TMixing>(ref a, ref b, ref c, ref d, ref e, ref p, q, r, s);
        Rounds<TMixing>(ref a, ref b, ref c, ref d, ref e, ref q, r, s, p);
        Rounds<TMixing>(ref a, ref b, ref c, ref d, ref e, ref r, s, p, q);
        Rounds<TMixing>(ref a, ref b, ref c, ref d, ref e, ref s, p, q, r);
        Rounds<TMixing>(ref a, ref b, ref c, ref d, ref e, ref p, q, r, s);
        (stateA, stateB, stateC, stateD, stateE) = (a, b, c, d, e);
        q.CopyTo(block);
        r.CopyTo(block[4..]);
        s.CopyTo(block[8..]);
        p.CopyTo(block[12..]);
    }

    // Four rounds with four words, in whose place the four come that are wanted sixteen rounds later.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rounds<TMixing>(
        ref Vector<uint> a, ref Vector<uint> b, ref Vector<uint> c, ref Vector<uint> d, ref Vector<uint> e, ref Four words, in Four then, in Four later, in Four last)
        where TMixing : struct, IMixing
    {
        var constant = new Vector<uint>(TMixing.Constant);
        var (w0, w1, w2, w3) = (words.W0, words.W1, words.W2, words.W3);

        // What hangs on the round before is added last.
        e = e + (w0 + constant) + TMixing.Mix(b, c, d) + Rotate(a, 5);
        b = Rotate(b, 30);
        d = d + (w1 + constant) + TMixing.Mix(a, b, c) + Rotate(e, 5);
        a = Rotate(a, 30);
        c = c + (w2 + constant) + TMixing.Mix(e, a, b) + Rotate(d, 5);
        e = Rotate(e, 30);
        b = b + (w3 + constant) + TMixing.Mix(d, e, a) + Rotate(c, 5);
        d = Rotate(d, 30);
        (a, b, c, d, e) = (b, c, d, e, a);

        words.W0 = Rotate(w0 ^ w2 ^ later.W0 ^ last.W1, 1);
        words.W1 = Rotate(w1 ^ w3 ^ later.W1 ^ last.W2, 1);
        words.W2 = Rotate(w2 ^ then.W0 ^ later.W2 ^ last.W3, 1);
        words.W3 = Rotate(w3 ^ then.W1 ^ later.W3 ^ words.W0, 1);
    }

    // The compiler knows no rotation of vectors, though the processor may have one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Rotate(Vector<uint> value, [ConstantExpected] byte bits) => Avx512F.VL.IsSupported && Vector<uint>.Count == Vector256<uint>.Count
        ? Avx512F.VL.RotateLeft(value.AsVector256(), bits).AsVector()
        : (value << bits) | (value >> (32 - bits));

    private struct Four(ReadOnlySpan<Vector<uint>> words)
    {
        public Vector<uint> W0 = words[0];
        public Vector<uint> W1 = words[1];
        public Vector<uint> W2 = words[2];
        public Vector<uint> W3 = words[3];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void CopyTo(Span<Vector<uint>> words) => (words[0], words[1], words[2], words[3]) = (W0, W1, W2, W3);
    }

    private readonly struct Choose : IMixing
    {
        public static uint Constant => 0x5A827999;

        public static Vector<uint> Mix(Vector<uint> b, Vector<uint> c, Vector<uint> d) => Vector.ConditionalSelect(b, c, d);
    }

    private readonly struct Parity : IMixing
    {
        public static uint Constant => 0x6ED9EBA1;

        public static Vector<uint> Mix(Vector<uint> b, Vector<uint> c, Vector<uint> d) => b ^ c ^ d;
    }

    private readonly struct Majority : IMixing
    {
        public static uint Constant => 0x8F1BBCDC;

        // Where two agree it is theirs, else the third one decides.
        public static Vector<uint> Mix(Vector<uint> b, Vector<uint> c, Vector<uint> d) => Vector.ConditionalSelect(b ^ c, d, b);
    }

    private readonly struct LateParity : IMixing
    {
        public static uint Constant => 0xCA62C1D6;

        public static Vector<uint> Mix(Vector<uint> b, Vector<uint> c, Vector<uint> d) => b ^ c ^ d;
    }
}
