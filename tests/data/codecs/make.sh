#!/bin/sh
# The vectors of this folder, made with ffmpeg 5.1.9 (Debian 12): a sweep, noise and an overdriven tone, half a second;
# and words that no encoder would send. Samples are 16 bits, low byte first.
set -eu
ffmpeg -v error -y -f lavfi -i "aevalsrc='0.45*sin(2*PI*(150*t+6400*t*t))+0.25*sin(2*PI*440*t)+0.2*(random(1)-0.5)*lt(mod(t,0.15),0.05)+0.9*sin(2*PI*1000*t)*between(t,0.3,0.38)':s=16000:d=0.5" -f s16le source.s16
ffmpeg -v error -y -f s16le -ar 16000 -ac 1 -i source.s16 -c:a g722 -f g722 source.g722
ffmpeg -v error -y -f g722 -i source.g722 -f s16le source.g722.s16
awk 'BEGIN { x = 7; for (i = 0; i < 2000; i++) { x = (x * 1103515245 + 12345) % 2147483648; printf "%02x", int(x / 65536) % 256 } }' | xxd -r -p > random.g722
ffmpeg -v error -y -f g722 -i random.g722 -f s16le random.g722.s16
