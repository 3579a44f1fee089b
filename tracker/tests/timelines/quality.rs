//! Errors, renditions, frames, and autoplay that is refused.

use crate::timeline;

timeline!(
    renditions_up_and_down_and_the_time_in_each,
    "0    source /film.mp4
     0    load 60
     0    rendition 360 800
     0    play
     5    rendition 720 2500
     10   rendition 480 1200
     15   leave",
    @"
   0.000 impression
   0.000 rendition bitrate_kbps=800 height=360 @0
   0.000 play_request @0
   0.000 play @0
   5.000 rendition bitrate_kbps=2500 height=720 @5
  10.000 rendition bitrate_kbps=1200 height=480 @10
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 ladder_plays=1 rendition_up=1 rendition_down=1 played_ms_360=5000 played_ms_480=5000 played_ms_720=5000 bitrate_ms=22500000 rated_ms=15000 startup_ms=1 reached_25=1 position_25=1 watched=25% active=1 stop_reason=closed
"
);

timeline!(
    /// By bitrate where both are known, else by height; what is as good, or unknown, is neither better nor worse.
    renditions_of_which_not_everything_is_known,
    "0    source /film.mp4
     0    load 60
     0    rendition 360 800
     1    rendition 720 0
     2    rendition 480 1200
     3    rendition 720 2500
     4    rendition 1080 2000
     5    rendition 720 2000
     6    rendition 360 0
     7    rendition 0 0
     8    rendition 360 0
     9    leave",
    @"
   0.000 impression
   0.000 rendition bitrate_kbps=800 height=360 @0
   1.000 rendition height=720 @0
   2.000 rendition bitrate_kbps=1200 height=480 @0
   3.000 rendition bitrate_kbps=2500 height=720 @0
   4.000 rendition bitrate_kbps=2000 height=1080 @0
   5.000 rendition bitrate_kbps=2000 height=720 @0
   6.000 rendition height=360 @0
   7.000 rendition @0
   8.000 rendition height=360 @0
   9.000 stop reason=closed
slice 0 at 0.000 for 9.000: views=1 impressions=1 stops=1 rendition_up=2 rendition_down=3 stop_reason=closed
"
);

timeline!(
    renditions_that_the_player_chose_and_that_the_viewer_chose,
    "0    source /film.mp4
     0    load 60
     0    rendition 360 800 auto
     1    rendition 720 2500 manual
     2    leave",
    @"
   0.000 impression
   0.000 rendition auto=true bitrate_kbps=800 height=360 @0
   1.000 rendition auto=false bitrate_kbps=2500 height=720 @0
   2.000 stop reason=closed
slice 0 at 0.000 for 2.000: views=1 impressions=1 stops=1 rendition_up=1 stop_reason=closed
"
);

timeline!(
    frames_that_begin_anew,
    "0    source /film.mp4
     0    load 60
     0    play
     5    frames 120 2
     10   frames 240 3
     10   frames 24 1
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 ladder_plays=1 played_ms_other=15000 frames=264 frames_dropped=4 startup_ms=1 reached_25=1 position_25=1 watched=25% active=1 stop_reason=closed
"
);

timeline!(
    bytes_and_live_latency,
    "0    source /live.m3u8
     0    load live
     0    play
     5    bytes 1000000
     6    bytes 500000
     7    latency 4.2
     8    latency 3.8
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 played_ms_other=10000 bytes=1500000 latency_ms_sum=8000 latency_samples=2 startup_ms=1 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    an_error_that_the_playhead_survives,
    "0    source /film.mp4
     0    load 60
     0    play
     5    stall 4
     6    warn fragLoadError
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rebuffer cause=network took_ms=4000 @5
   6.000 error code=fragLoadError fatal=false phase=mid_stream @5
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=4000 played_ms=11000 content_ms=11000 engaged_ms=11000 errors=1 rebuffered=1 errored=1 ladder_plays=1 played_ms_other=11000 startup_ms=1 watched=18% active=1 stop_reason=closed error=fragLoadError/mid_stream
"
);

timeline!(
    a_fatal_error_that_it_does_not_survive,
    "0    source /film.mp4
     0    load 60
     0    play
     5    fail MEDIA_ERR_NETWORK
     30   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 error code=MEDIA_ERR_NETWORK fatal=true phase=mid_stream @5
  30.000 stop reason=error
slice 0 at 0.000 for 30.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 errors=1 fatal_errors=1 playback_failures=1 errored=1 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=error error=MEDIA_ERR_NETWORK/mid_stream
"
);

timeline!(
    /// Its streaming engine gives up, and then so does the element: one failure.
    a_fatal_error_that_is_told_twice,
    "0    source /film.mp4
     0    load 60
     0    play
     5    fail fragParsingError
     5.1  fail MEDIA_ERR_DECODE
     6    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 error code=fragParsingError fatal=true phase=mid_stream @5
   6.000 stop reason=error
slice 0 at 0.000 for 6.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 errors=1 fatal_errors=1 playback_failures=1 errored=1 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=error error=fragParsingError/mid_stream
"
);

timeline!(
    a_fatal_error_and_the_page_is_left_at_once,
    "0    source /film.mp4
     0    load 60
     0    play
     5    fail MEDIA_ERR_NETWORK
     6    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 error code=MEDIA_ERR_NETWORK fatal=true phase=mid_stream @5
   6.000 stop reason=error
slice 0 at 0.000 for 6.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 errors=1 fatal_errors=1 playback_failures=1 errored=1 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=error error=MEDIA_ERR_NETWORK/mid_stream
"
);

timeline!(
    a_fatal_error_after_the_end_is_none,
    "0    source /film.mp4
     0    load 5
     0    play
     8    fail MEDIA_ERR_DECODE
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.250 quartile ladder=watched percent=25 @1.25
   1.250 quartile ladder=position percent=25 @1.25
   2.500 quartile ladder=watched percent=50 @2.5
   2.500 quartile ladder=position percent=50 @2.5
   3.750 quartile ladder=watched percent=75 @3.75
   3.750 quartile ladder=position percent=75 @3.75
   5.000 quartile ladder=watched percent=100 @5
   5.000 quartile ladder=position percent=100 @5
   5.000 end @5
  10.000 stop reason=ended
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    what_is_broken_before_it_is_asked_for_fails_when_it_is,
    "0    source /film.mp4
     1    fail MEDIA_ERR_SRC_NOT_SUPPORTED
     3    play
     5    leave",
    @"
   1.000 error code=MEDIA_ERR_SRC_NOT_SUPPORTED fatal=true phase=before_play @0
   3.000 play_request @0
   5.000 stop reason=error
slice 0 at 1.000 for 4.000: views=1 play_requests=1 stops=1 errors=1 fatal_errors=1 start_failures=1 errored=1 stop_reason=error error=MEDIA_ERR_SRC_NOT_SUPPORTED/before_play
"
);

timeline!(
    what_is_broken_stays_so_when_its_media_source_is_attached_late,
    "0    source blob:https://example.org/1
     1    fail manifestLoadError
     2    source blob:https://example.org/1
     3    play
     5    leave",
    @"
   1.000 error code=manifestLoadError fatal=true phase=before_play @0
   3.000 play_request @0
   5.000 stop reason=error
slice 0 at 1.000 for 4.000: views=1 play_requests=1 stops=1 errors=1 fatal_errors=1 start_failures=1 errored=1 stop_reason=error error=manifestLoadError/before_play
"
);

timeline!(
    ten_errors_are_ten_errors_and_one_first,
    "0    source /film.mp4
     0    load 60
     0    play
     1    warn a
     2    warn b
     3    warn c
     4    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.000 error code=a fatal=false phase=mid_stream @1
   2.000 error code=b fatal=false phase=mid_stream @2
   3.000 error code=c fatal=false phase=mid_stream @3
   4.000 stop reason=closed
slice 0 at 0.000 for 4.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=4000 content_ms=4000 engaged_ms=4000 errors=3 errored=1 ladder_plays=1 played_ms_other=4000 startup_ms=1 watched=7% active=1 stop_reason=closed error=a/mid_stream
"
);

timeline!(
    autoplay_that_the_browser_refuses,
    "0    source /film.mp4
     0    autoplay
     0    load 60
     0.5  canplaythrough
     5    leave",
    @"
   0.000 impression
   1.500 autoplay_blocked
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 autoplay_blocked=1 stops=1 stop_reason=closed
"
);

timeline!(
    autoplay_that_works,
    "0    source /film.mp4
     0    autoplay
     0    load 60
     0.5  canplaythrough
     0.5  play
     5    leave",
    @"
   0.000 impression
   0.500 play_request @0
   0.500 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=4500 content_ms=4500 engaged_ms=4500 ladder_plays=1 played_ms_other=4500 startup_ms=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    autoplay_that_the_page_says_is_blocked,
    "0    source /film.mp4
     0    load 60
     0    play 50
     0.1  blocked
     0.1  pause
     5    play 0.1
     8    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.100 autoplay_blocked
   5.100 play @0
   8.000 stop reason=closed
slice 0 at 0.000 for 8.000: views=1 impressions=1 play_requests=1 plays=1 autoplay_blocked=1 stops=1 played_ms=2900 content_ms=2900 wait_ms=200 paused_ms=4900 engaged_ms=2900 ladder_plays=1 played_ms_other=2900 startup_ms=200 watched=5% active=1 stop_reason=closed
"
);

timeline!(
    the_frames_of_the_video_before_are_not_counted_again,
    "0    source blob:a
     0    load 60
     0    play
     5    frames 125 1
     5    video other
     10   frames 250 2
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=source_changed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 frames=125 frames_dropped=1 startup_ms=1 watched=8% active=1 stop_reason=source_changed
--- another view
   5.250 impression
   5.250 play_request @5.25
   5.250 play @5.25
  10.000 stop reason=closed
slice 0 at 5.250 for 4.750: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=4750 content_ms=4750 engaged_ms=4750 ladder_plays=1 played_ms_other=4750 frames=125 frames_dropped=1 startup_ms=1 watched=8% active=1 stop_reason=closed [video=other]
"
);
