%% Runs in the node's VM once the broker has booted: answers Erlang expressions over a socket in the node's
%% own folder. A request and its answer are each one frame behind a 32-bit length; the answer's first byte is
%% 0 (value) or 1 (failure). CONTROL_SOCKET is replaced by the path of the socket, as an Erlang string.
Evaluate = fun(Text) ->
    try
        {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text)),
        {ok, Expressions} = erl_parse:parse_exprs(Tokens),
        {value, Value, _} = erl_eval:exprs(Expressions, []),
        [0, io_lib:format("~0tp", [Value])]
    catch
        Class:Reason -> [1, io_lib:format("~0tp: ~0tp", [Class, Reason])]
    end
end,
Serve = fun(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Text} ->
            [Mark, Answer] = Evaluate(Text),
            gen_tcp:send(Socket, [Mark, unicode:characters_to_binary(Answer)]);
        {error, closed} ->
            ok
    end
end,
Accept = fun Again(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Worker = spawn(fun() -> receive yours -> Serve(Socket) end end),
    ok = gen_tcp:controlling_process(Socket, Worker),
    Worker ! yours,
    Again(Listener)
end,
spawn(fun() ->
    Path = CONTROL_SOCKET,
    _ = file:delete(Path),
    {ok, Listener} = gen_tcp:listen(0, [
        binary, {ifaddr, {local, Path}}, {packet, 4}, {active, false}, {backlog, 64}
    ]),
    Accept(Listener)
end).
