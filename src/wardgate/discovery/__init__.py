"""Operations from source code, gateway configuration and active scanning. (Not built yet.)"""
